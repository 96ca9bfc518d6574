import { ingestEvents } from '@millrace/contracts/ingest';
import { monitoringEvents } from '@millrace/contracts/monitoring';
import type { Run, Trigger } from '@millrace/contracts/pipeline';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { actor, Platform, projectFiles, recipe } from './platform.ts';

let platform: Platform;

beforeAll(async () => {
  platform = await Platform.start();
  await platform.startPipeline();
});
afterAll(() => platform.stop());

const push = async (name: string, seed = 1): Promise<void> => {
  const snapshot = await platform.snapshot(
    projectFiles({ 'recipe.yaml': recipe('', `name: ${name}\nseed: ${seed}\n`) }),
  );
  await platform.client.pushProject({ snapshot, defaultProfile: '', actor });
};

const create = (trigger: Partial<Trigger>) =>
  platform.client.createTrigger({
    trigger: {
      name: 't',
      project: 'p',
      profile: '',
      condition: undefined,
      enabled: true,
      coolDownSeconds: 0,
      nextFireAt: undefined,
      lastFiredAt: undefined,
      lastRunId: '',
      fired: 0,
      history: [],
      ...trigger,
    },
    actor,
  });

const triggerOf = async (name: string): Promise<Trigger> => {
  const { triggers } = await platform.client.listTriggers({ project: '', page: undefined });
  const found = triggers.find((trigger) => trigger.name === name);
  if (found === undefined) throw new Error(`no trigger ${name}`);
  return found;
};

const runsOf = async (project: string): Promise<readonly Run[]> =>
  (await platform.client.listRuns({ project, state: 'RUN_STATE_UNSPECIFIED', page: undefined })).runs;

const untilRuns = (project: string, count: number): Promise<readonly Run[]> =>
  vi.waitFor(
    async () => {
      const runs = await runsOf(project);
      expect(runs.filter(({ state }) => state === 'RUN_STATE_SUCCEEDED')).toHaveLength(count);
      return runs;
    },
    { timeout: 60_000, interval: 50 },
  );

const dataset = (name: string, version: number) =>
  platform.workers.publish('ingest', ingestEvents.datasetVersionCreated, `${name}@${version}`, {
    datasetVersion: {
      ...ingestEvents.datasetVersionCreated.codec.fromJSON({ datasetVersion: {} }).datasetVersion!,
      dataset: name,
      version,
    },
    project: '',
  });

const onDataset = (name: string): Trigger['condition'] => ({ $case: 'dataset', value: { dataset: name } });

describe('a trigger', () => {
  test('on a new dataset version runs the project, once per version', async () => {
    await push('data');
    await create({ name: 'on-data', project: 'data', condition: onDataset('flights') });
    await dataset('flights', 1);
    await dataset('other', 1);
    const [run] = await untilRuns('data', 1);
    expect(run).toMatchObject({
      submittedBy: { name: 'trigger:on-data' },
      causedBy: expect.stringMatching(/^trigger:on-data:/),
    });
    await dataset('flights', 2);
    await untilRuns('data', 2);
    expect(await triggerOf('on-data')).toMatchObject({ fired: 2, lastRunId: (await runsOf('data'))[0]?.id });
  });

  test('on an event by subject and payload runs the project, also after a restart that missed it', async () => {
    await push('alerts');
    const value = { subject: 'millrace.evt.monitoring.alert.*.v1', equals: { 'alert.endpoint': 'flights' } };
    await create({ name: 'on-alert', project: 'alerts', condition: { $case: 'event', value } });
    const raise = (id: string, endpoint: string) =>
      platform.workers.publish(
        'monitoring',
        monitoringEvents.alertRaised,
        id,
        monitoringEvents.alertRaised.codec.fromJSON({ alert: { id, endpoint } }),
      );
    await raise('a1', 'trains');
    await raise('a2', 'flights');
    await untilRuns('alerts', 1);
    await platform.stopPipeline();
    await raise('a3', 'flights');
    await platform.startPipeline();
    await untilRuns('alerts', 2);
  });

  test('on a run of another project goes on to it, but a chain never comes back to itself', async () => {
    await push('first');
    await push('second');
    const after = (project: string): Trigger['condition'] => ({
      $case: 'event',
      value: {
        subject: 'millrace.evt.pipeline.run.succeeded.v1',
        equals: { 'run.project.project': project },
      },
    });
    await create({ name: 'first-second', project: 'second', condition: after('first') });
    await create({ name: 'second-first', project: 'first', condition: after('second') });
    await create({ name: 'first-first', project: 'first', condition: after('first') });
    await platform.run(projectFiles({ 'recipe.yaml': recipe('', 'name: first\nseed: 1\n') }));
    await untilRuns('second', 1);
    // The chain first → second → first ends there: each trigger is in it once.
    await untilRuns('first', 2);
    await vi.waitFor(async () => expect((await triggerOf('second-first')).fired).toBe(1), {
      timeout: 60_000,
    });
    await dataset('flights', 3);
    await untilRuns('data', 3);
    expect(await runsOf('second')).toHaveLength(1);
    const own = await triggerOf('first-first');
    expect(own.fired).toBe(0);
    expect(own.history[0]).toMatchObject({
      outcome: 'suppressed',
      detail: expect.stringContaining('caused it'),
    });
  });

  test('by schedule fires once for a time that passed while nothing ran', async () => {
    await push('nightly');
    const value = { expression: '* * * * * *', timeZone: 'Europe/Berlin' };
    await create({
      name: 'often',
      project: 'nightly',
      coolDownSeconds: 3600,
      condition: { $case: 'cron', value },
    });
    const [run] = await untilRuns('nightly', 1);
    const first = await triggerOf('often');
    expect(run?.causedBy).toBe(
      `trigger:often:${new Date(run?.causedBy.slice('trigger:often:'.length) ?? '').toISOString()}`,
    );
    await platform.stopPipeline();
    await platform.startPipeline();
    await vi.waitFor(
      async () =>
        expect(Date.parse((await triggerOf('often')).nextFireAt ?? '')).toBeGreaterThan(
          Date.parse(first.nextFireAt ?? '') + 1000,
        ),
      { timeout: 60_000 },
    );
    expect(await runsOf('nightly')).toHaveLength(1);
    expect((await triggerOf('often')).history[0]).toMatchObject({
      outcome: 'suppressed',
      detail: expect.stringContaining('the cool-down lasts'),
    });
    expect((await triggerOf('often')).fired).toBe(1);
  });

  test('runs the latest pushed revision', async () => {
    await push('moving', 1);
    await push('moving', 2);
    await create({ name: 'on-moving', project: 'moving', condition: onDataset('moving') });
    await dataset('moving', 1);
    const [run] = await untilRuns('moving', 1);
    expect(run?.recipe?.seed).toBe(2);
  });

  test('can be switched off and on, and deleted', async () => {
    await push('switched');
    await create({ name: 'on-switched', project: 'switched', condition: onDataset('switched') });
    await platform.client.setReaction({ name: 'trigger:on-switched', enabled: false, actor });
    await dataset('switched', 1);
    await platform.client.setReaction({ name: 'trigger:on-switched', enabled: true, actor });
    const { reactions } = await platform.client.listReactions({});
    expect(reactions.find(({ name }) => name === 'trigger:on-switched')).toMatchObject({
      enabled: true,
      description: 'On a new version of dataset switched, the pipeline of switched runs.',
    });
    await platform.client.deleteTrigger({ name: 'on-switched', actor });
    await expect(platform.client.deleteTrigger({ name: 'on-switched', actor })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test('tells of each change once, and by whom', async () => {
    await push('told');
    await push('told');
    await create({ name: 'on-told', project: 'told', condition: onDataset('told') });
    const reaction = { name: 'trigger:on-told', enabled: false, actor };
    await platform.client.setReaction(reaction);
    await platform.client.setReaction(reaction);
    await platform.client.deleteTrigger({ name: 'on-told', actor });
    const told = () =>
      platform.events
        .filter(({ key }) => key === 'told' || key === 'on-told')
        .filter(({ data }) => (data as { actor?: { name: string } }).actor?.name === actor.name)
        .map(({ type }) => type.replace('millrace.pipeline.', ''));
    await vi.waitFor(
      () =>
        expect(told()).toEqual([
          'project.pushed.v1',
          'trigger.created.v1',
          'trigger.switched.v1',
          'trigger.deleted.v1',
        ]),
      { timeout: 60_000 },
    );
  });

  test.each([
    [{ name: 'Bad Name', project: 'data', condition: onDataset('x') }, 'trigger.name'],
    [{ name: 'x', project: 'nowhere', condition: onDataset('x') }, 'there is no project nowhere'],
    [{ name: 'x', project: 'data' }, 'trigger.condition'],
    [{ name: 'on-data', project: 'data', condition: onDataset('x') }, 'there is a trigger on-data already'],
    [
      { name: 'x', project: 'data', coolDownSeconds: -1, condition: onDataset('x') },
      'trigger.cool_down_seconds',
    ],
    [
      {
        name: 'x',
        project: 'data',
        condition: { $case: 'cron' as const, value: { expression: 'soon', timeZone: '' } },
      },
      'trigger.cron',
    ],
    [
      {
        name: 'x',
        project: 'data',
        condition: { $case: 'event' as const, value: { subject: 'millrace.step.>', equals: {} } },
      },
      'trigger.event.subject',
    ],
  ])('like %j is refused', async (trigger, message) => {
    await expect(create(trigger)).rejects.toThrow(message);
  });
});

describe('a request for retraining', () => {
  const request = (window: string, project: string) =>
    platform.workers.publish('monitoring', monitoringEvents.retrainingRequested, window, {
      project,
      endpoint: 'flights',
      windowId: window,
      reason: 'drift of dep_delay',
    });

  test('runs the project, not again while that run is under way, and not when switched off', async () => {
    await push('drifting');
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    platform.workers.behaviours.set('train', async (_, succeed) => {
      await held;
      return succeed();
    });
    await request('flights/1', 'drifting');
    await vi.waitFor(async () => expect(await runsOf('drifting')).toHaveLength(1), { timeout: 60_000 });
    await request('flights/2', 'drifting');
    await request('flights/3', 'unknown');
    release();
    await untilRuns('drifting', 1);
    await vi.waitFor(
      async () => {
        const { reactions } = await platform.client.listReactions({});
        expect(reactions[0]).toMatchObject({
          name: 'retraining-request-runs-pipeline',
          enabled: true,
          fired: 1,
        });
      },
      { timeout: 60_000 },
    );
    const [run] = await runsOf('drifting');
    expect(run?.submittedBy).toEqual({ name: 'service:monitoring', reason: 'drift of dep_delay' });
    await request('flights/4', 'drifting');
    await untilRuns('drifting', 2);
    await platform.client.setReaction({ name: 'retraining-request-runs-pipeline', enabled: false, actor });
    await request('flights/5', 'drifting');
    await request('flights/6', 'drifting');
    await platform.client.setReaction({ name: 'retraining-request-runs-pipeline', enabled: true, actor });
  });
});
