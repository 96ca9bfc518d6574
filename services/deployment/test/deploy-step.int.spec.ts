import { Strategy } from '@millrace/contracts/deployment';
import { ErrorCode } from '@millrace/errors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, Lab } from './lab.ts';
import { codeModel, constantModel } from './packages.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
  for (const version of [1, 2, 3]) await lab.register('flights', version, await constantModel(version));
  // Takes its time to answer its own example, so that another deployment finds it starting.
  await lab.register(
    'flights',
    4,
    codeModel('const end = Date.now() + 400; while (Date.now() < end); return 4;'),
  );
  await lab.register('flights', 5, codeModel(`throw new Error('broken');`));
});
afterAll(() => lab.stop());

let runs = 0;
const newRun = () => {
  runs += 1;
  return `run${runs}`;
};

const step = async (version: string, config: object, run = newRun()) => {
  await lab.sendStep(run, version, config);
  return lab.stepResult(run);
};

describe('the deploy step', () => {
  it('brings the version to its endpoint and gives the revision as its output', async () => {
    const { success } = await step('flights/1', {
      endpoint: 'flights',
      strategy: 'canary',
      canary_steps: [20],
    });
    expect(success).toMatchObject({
      outputs: [
        { kind: 'endpoint_revision', id: 'flights/1', attributes: { model: 'flights', version: '1' } },
        { name: 'card', kind: 'card', mediaType: 'text/html' },
      ],
      summary: { endpoint: 'flights', revision: 1, trafficPercent: 100, promoted: true },
    });
    const second = await step('flights/2', { endpoint: 'flights', canary_steps: [20] });
    expect(second.success?.summary).toMatchObject({ revision: 2, trafficPercent: 20, promoted: false });
    expect(await lab.traffic('flights')).toBe('1:80 2:20');
  });

  it('names its endpoint after the model by default', async () => {
    await lab.register('taxis', 1, await constantModel(7));
    await step('taxis/1', {});
    expect(await lab.answer('taxis')).toBe(7);
  });

  it('deploys once, however often its command and its attempts come', async () => {
    const run = newRun();
    const config = { endpoint: 'once', strategy: 'direct' };
    for (const attempt of [1, 1, 2]) {
      await lab.sendStep(run, 'flights/1', config, { attempt });
      expect((await lab.stepResult(run, attempt)).success?.outputs[0]?.id).toBe('once/1');
    }
    const { revisions } = await lab.rpc.getEndpoint({ name: 'once' });
    expect(revisions).toHaveLength(1);
  });

  it('waits for a rollout that is just starting at its endpoint', async () => {
    await step('flights/1', { endpoint: 'busy', strategy: 'direct' });
    const slow = newRun();
    await lab.sendStep(slow, 'flights/4', { endpoint: 'busy', strategy: 'direct' });
    await eventually(async () => expect((await lab.endpoint('busy')).rollout?.candidateRevision).toBe(2));
    const { success } = await step('flights/3', { endpoint: 'busy', strategy: 'direct' });
    expect(success?.outputs[0]?.id).toBe('busy/3');
    expect((await lab.stepResult(slow)).success?.outputs[0]?.id).toBe('busy/2');
    expect(await lab.answer('busy')).toBe(3);
  });

  it('fails with what to do while a canary waits there, and goes on when it has ended', async () => {
    await step('flights/1', { endpoint: 'canary', strategy: 'direct' });
    await step('flights/2', { endpoint: 'canary', canary_steps: [10] });
    const run = newRun();
    const { failure } = await step('flights/3', { endpoint: 'canary', strategy: 'direct' }, run);
    expect(failure?.error).toMatchObject({
      code: ErrorCode.conflict,
      hint: expect.stringContaining('rollback'),
    });
    await lab.rpc.promote({ endpoint: 'canary', full: true, actor: undefined });
    await lab.sendStep(run, 'flights/3', { endpoint: 'canary', strategy: 'direct' }, { attempt: 2 });
    expect((await lab.stepResult(run, 2)).success?.outputs[0]?.id).toBe('canary/3');
  });

  it('fails when the smoke test does, and tries again when it is asked again', async () => {
    const run = newRun();
    const { failure } = await step('flights/5', { endpoint: 'broken' }, run);
    expect(failure?.error).toMatchObject({ code: ErrorCode.failedPrecondition });
    await lab.register('flights', 5, await constantModel(5));
    await lab.sendStep(run, 'flights/5', { endpoint: 'broken' }, { attempt: 2 });
    expect((await lab.stepResult(run, 2)).success?.outputs[0]?.id).toBe('broken/2');
    expect(await lab.answer('broken')).toBe(5);
  });

  it('says that its revision was rolled back meanwhile', async () => {
    await step('flights/1', { endpoint: 'back', strategy: 'direct' });
    const run = newRun();
    await step('flights/2', { endpoint: 'back', canary_steps: [10] }, run);
    await lab.rpc.rollback({ endpoint: 'back', actor: { name: 'user:ada', reason: 'worse' } });
    await lab.sendStep(run, 'flights/2', { endpoint: 'back', canary_steps: [10] }, { attempt: 2 });
    expect((await lab.stepResult(run, 2)).failure?.error?.message).toMatch(/was rolled back: worse/);
  });

  it.each([
    ['an unknown strategy', { strategy: 'yolo' }, 'steps.deploy.strategy'],
    ['a bad endpoint name', { endpoint: 'a b' }, 'steps.deploy.endpoint'],
    ['bad steps', { canary_steps: [0] }, 'policy.canary_steps[0]'],
  ])('refuses %s, naming the field', async (_, config, path) => {
    const { failure } = await step('flights/1', config);
    expect(failure?.error).toMatchObject({ code: ErrorCode.invalid, violations: [{ path }] });
  });
});

describe('two runs at one new endpoint', () => {
  it('are deployed one after the other', async () => {
    const [first, second] = [newRun(), newRun()];
    const config = { endpoint: 'both', strategy: 'direct' };
    await Promise.all([lab.sendStep(first, 'flights/1', config), lab.sendStep(second, 'flights/2', config)]);
    const ids = [await lab.stepResult(first), await lab.stepResult(second)].map(
      ({ success }) => success?.outputs[0]?.id,
    );
    expect(ids.sort()).toEqual(['both/1', 'both/2']);
    expect((await lab.endpoint('both')).rollout?.policy?.strategy).toBe(Strategy.STRATEGY_DIRECT);
  });
});
