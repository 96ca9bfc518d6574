import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pipelineEvents } from '@millrace/contracts/pipeline';
import { Artifact, StepCommand } from '@millrace/contracts/step';
import type { Table } from '@millrace/tabular';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runIdOf } from '../src/domain/run.ts';
import { features, flights, withTransform } from './fixture.ts';
import { endOf, Platform } from './platform.ts';

let platform: Platform;
let train: (pipelineRunId: string) => StepCommand;

const withDelay = (table: Table): Table => ({
  ...table,
  columns: table.columns.filter(({ name }) => features.includes(name) || name === 'delay'),
});

beforeAll(async () => {
  platform = await Platform.open();
  const transform = StepCommand.fromPartial({
    pipelineRunId: 'crash',
    step: 'transform',
    attempt: 1,
    recipe: {
      task: 'regression',
      targetColumn: 'delay',
      primaryMetric: 'root_mean_squared_error',
      seed: 42,
      experimentName: 'flights',
    },
    inputs: [
      await platform.split('train', withDelay(flights(2000, 1))),
      await platform.split('validation', withDelay(flights(500, 2))),
    ],
  });
  const { outputs } = await platform.step(transform);
  const tuning = {
    enabled: true,
    max_trials: 8,
    parallelism: 2,
    parameters: { alpha: { distribution: 'uniform', low: 0, high: 10 } },
  };
  train = (pipelineRunId) => ({
    ...withTransform(
      transform,
      outputs.map((output) => Artifact.fromPartial(output)),
      { using: 'linear/ridge', tuning },
    ),
    pipelineRunId,
  });
});
afterAll(() => platform.close());

const gone = async (pids: readonly number[]): Promise<void> => {
  for (const pid of pids) {
    for (let stat = 'R'; stat !== '' && !stat.includes(') Z'); await wait(20)) {
      stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    }
  }
};

const modelOf = (outputs: readonly Artifact[]) => outputs.find(({ kind }) => kind === 'model')?.digest;

describe('the service killed in the middle of a search', () => {
  it('leaves no process and no half package, and does the step once after its restart', async () => {
    const undisturbed = await platform.step(train('calm'));
    const command = train('stormy');
    const working = platform.progress(command, /^trial [34] of 8/);
    await platform.send(command);
    await working;
    const children = await platform.children();
    expect(children.length).toBeGreaterThan(0);
    await platform.kill();
    await gone(children);
    await platform.start();
    const events = await platform.eventsUntil(endOf(command));
    const [end] = events.slice(-1);
    expect(end?.type).toBe('millrace.training.step.succeeded.v1');
    const { result } = (end?.data ?? {}) as { result: { lease: number; outputs: Artifact[] } };
    expect(result.lease).toBe(2);
    const id = runIdOf('stormy', 'train', 1);
    const ofRuns = events.filter(({ key, data }) => {
      const { run } = data as { run?: { parentRunId?: string } };
      return key === id || run?.parentRunId === id;
    });
    const count = (verb: string) =>
      ofRuns.filter(({ type }) => type === `millrace.training.run.${verb}.v1`).length;
    expect([count('started'), count('finished'), count('failed')]).toEqual([9, 9, 0]);
    expect(modelOf(result.outputs)).toBe(modelOf(undisturbed.outputs));
    expect(await readdir(join(platform.directory, 'data', 'training', 'tmp'))).toEqual([]);
  });
});

describe('a pipeline run cancelled while the service is down', () => {
  it('ends the run that nobody works on any more', async () => {
    const command = train('abandoned');
    const working = platform.progress(command, /^trial 2 of 8/);
    await platform.send(command);
    await working;
    await platform.kill();
    const data = pipelineEvents.runCancelRequested.codec.toJSON({} as never);
    await platform.publish(pipelineEvents.runCancelRequested, 'abandoned', data);
    await platform.publish(pipelineEvents.runCancelled, 'abandoned', data);
    await platform.start();
    const id = runIdOf('abandoned', 'train', 1);
    const events = await platform.eventsUntil(
      ({ key, type }) => key === id && type.endsWith('.run.failed.v1'),
    );
    expect(events.at(-1)?.data).toMatchObject({ run: { status: 'RUN_STATUS_KILLED' } });
    const end = (await platform.eventsUntil(endOf(command))).at(-1);
    expect(end?.type).toBe('millrace.training.step.failed.v1');
  });
});

describe('a training process killed from outside', () => {
  it('fails the step as one that may be tried again, and the next attempt succeeds', async () => {
    const command = train('child');
    const working = platform.progress(command, /^trial 2 of 8/);
    await platform.send(command);
    await working;
    for (const pid of await platform.children()) process.kill(pid, 'SIGKILL');
    const end = (await platform.eventsUntil(endOf(command))).at(-1);
    if (end?.type === 'millrace.training.step.failed.v1') {
      expect((end.data as { result: { error: object } }).result.error).toMatchObject({
        code: 'unavailable',
        retryable: true,
      });
    }
    const again = await platform.step({ ...command, attempt: 2 });
    expect(modelOf(again.outputs)).toMatch(/^sha256:/);
  });
});

describe('tracking', () => {
  it('finds, compares and adds to runs over gRPC', async () => {
    await platform.step(train('tracked_a'));
    await platform.step(train('tracked_b'));
    const { tracking } = platform;
    const [a, b] = [runIdOf('tracked_a', 'train', 1), runIdOf('tracked_b', 'train', 1)];
    const found = await tracking.searchRuns({
      experimentName: 'flights',
      filter:
        "params.using = 'linear/ridge' and metrics.val_r2_score > 0.1 and pipeline_run_id LIKE 'tracked_%' and status = 'FINISHED'",
      orderBy: 'start_time asc',
      page: undefined,
      includeNested: false,
    });
    expect(found.runs.map(({ id }) => id)).toEqual([a, b]);
    const { fields } = await tracking.compareRuns({ runIds: [a, b] });
    expect(fields.find(({ name }) => name === 'params.alpha')).toMatchObject({ differs: false });
    const metric = (step: number, value: number) => ({
      key: 'loss',
      value,
      step,
      time: '2026-01-01T00:00:00.000Z',
    });
    const batch = {
      runId: a,
      metrics: [metric(2, 0.5), metric(1, 0.9)],
      params: { note: 'x' },
      tags: { owner: 'ada' },
    };
    await tracking.logBatch(batch);
    await tracking.logBatch(batch);
    const history = await tracking.getMetricHistory({
      runId: a,
      key: 'loss',
      page: { limit: 1, cursor: '' },
    });
    expect(history.metrics.map(({ step }) => step)).toEqual([1]);
    const rest = await tracking.getMetricHistory({
      runId: a,
      key: 'loss',
      page: { limit: 10, cursor: history.page?.nextCursor ?? '' },
    });
    expect(rest.metrics.map(({ value }) => value)).toEqual([0.5]);
    const { run } = await tracking.getRun({ id: a });
    expect(run).toMatchObject({ metrics: { loss: 0.5 }, params: { note: 'x' }, tags: { owner: 'ada' } });
    const { experiments } = await tracking.listExperiments({ page: undefined });
    expect(experiments.map(({ name }) => name)).toEqual(['flights']);
  });

  it('refuses what is wrong, naming it, and changes nothing', async () => {
    const { tracking } = platform;
    const a = runIdOf('tracked_a', 'train', 1);
    const search = (filter: string, orderBy = '') =>
      tracking.searchRuns({ experimentName: '', filter, orderBy, page: undefined, includeNested: true });
    await expect(search('metrics.x > "a"')).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('position 13'),
    });
    await expect(search('', 'nothing desc')).rejects.toMatchObject({ code: 'invalid' });
    await expect(tracking.getRun({ id: 'nobody' })).rejects.toMatchObject({ code: 'not_found' });
    await expect(tracking.compareRuns({ runIds: [a] })).rejects.toMatchObject({ code: 'invalid' });
    const changed = { runId: a, metrics: [], params: { note: 'y' }, tags: { owner: 'bob' } };
    await expect(tracking.logBatch(changed)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('params.note'),
    });
    expect((await tracking.getRun({ id: a })).run?.tags.owner).toBe('ada');
  });
});
