import { RevisionState, RolloutState, Strategy } from '@millrace/contracts/deployment';
import { ApprovalState } from '@millrace/contracts/registry';
import { ErrorCode } from '@millrace/errors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, Lab, shortType } from './lab.ts';
import { codeModel, constantModel } from './packages.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
  for (const version of [1, 2, 3]) await lab.register('flights', version, await constantModel(version));
  await lab.register('flights', 9, await constantModel(9), {
    approvalState: ApprovalState.APPROVAL_STATE_PENDING,
  });
  await lab.register('flights', 10, await constantModel(10), { archived: true });
  await lab.register('flights', 11, codeModel(`throw new Error('no such luck');`));
});
afterAll(() => lab.stop());

let endpoints = 0;
const newEndpoint = (): string => {
  endpoints += 1;
  return `flights-${endpoints}`;
};

type Policy = Partial<{
  strategy: Strategy;
  canarySteps: number[];
  automatic: boolean;
  minRequests: number;
  maxErrorRate: number;
}>;

const deploy = (endpoint: string, modelVersion: number, policy: Policy = {}, alias = '') =>
  lab.deploy({ endpoint, model: 'flights', modelVersion, alias, policy: policy as never });

/** An endpoint that serves version 1 and, where `policy` is given, version 2 as its candidate. */
const serving = async (policy?: Policy): Promise<string> => {
  const name = newEndpoint();
  await deploy(name, 1);
  await lab.answer(name);
  await eventually(async () =>
    expect((await lab.rpc.getEndpoint({ name })).revisions[0]?.firstServedAt).toBeDefined(),
  );
  if (policy !== undefined) await deploy(name, 2, policy);
  return name;
};

const promote = (endpoint: string, full = false) => lab.rpc.promote({ endpoint, full, actor: undefined });
const rollback = (endpoint: string, reason = 'it is slow') =>
  lab.rpc.rollback({ endpoint, actor: { name: 'user:ada', reason } });
const typesOf = async (endpoint: string, until: string) => (await lab.events(endpoint, until)).map(shortType);

describe('a first deployment', () => {
  it('takes all the traffic after its smoke test, answers, and is told', async () => {
    const name = newEndpoint();
    const endpoint = await deploy(name, 1);
    expect(endpoint).toMatchObject({
      stableRevision: 1,
      traffic: [{ revision: 1, percent: 100 }],
      rollout: { state: RolloutState.ROLLOUT_STATE_PROMOTED },
    });
    expect(endpoint.url).toMatch(new RegExp(`^http://.+/endpoints/${name}/invocations$`));
    expect(await lab.answer(name)).toBe(1);
    expect(await typesOf(name, 'promoted')).toEqual(['started', 'promoted']);
  });

  it.each([
    ['a version that does not exist', { modelVersion: 99 }, ErrorCode.notFound],
    [
      'a version that waits for its approval',
      { modelVersion: 9, alias: 'production' },
      ErrorCode.failedPrecondition,
    ],
    ['an archived version', { modelVersion: 10 }, ErrorCode.failedPrecondition],
    ['no version', { modelVersion: 0 }, ErrorCode.invalid],
    ['a name that is none', { endpoint: 'Flights!' }, ErrorCode.invalid],
    ['canary steps that fall', { policy: { canarySteps: [50, 10] } }, ErrorCode.invalid],
    ['a share of errors above 1', { policy: { maxErrorRate: 7 } }, ErrorCode.invalid],
    [
      'an automatic blue/green rollout',
      { policy: { strategy: Strategy.STRATEGY_BLUE_GREEN, automatic: true } },
      ErrorCode.invalid,
    ],
  ])('of %s is refused and makes no endpoint', async (_, part, code) => {
    const name = newEndpoint();
    await expect(
      lab.deploy({ endpoint: name, model: 'flights', modelVersion: 1, ...(part as object) }),
    ).rejects.toMatchObject({ code });
    await expect(lab.endpoint(name)).rejects.toMatchObject({ code: ErrorCode.notFound });
  });

  it('of an unapproved version is allowed where no protected alias follows the endpoint', async () => {
    const name = newEndpoint();
    await deploy(name, 9, {}, 'staging');
    expect(await lab.answer(name)).toBe(9);
  });
});

describe('a candidate that fails its smoke test', () => {
  it('gets no traffic, leaves the endpoint as it was, and is told', async () => {
    const name = await serving();
    await expect(deploy(name, 11)).rejects.toMatchObject({
      code: ErrorCode.failedPrecondition,
      message: expect.stringContaining('no such luck'),
    });
    expect(await lab.traffic(name)).toBe('1:100');
    expect(await lab.answer(name)).toBe(1);
    expect(await typesOf(name, 'failed')).toEqual(['started', 'promoted', 'started', 'failed']);
    const { revisions } = await lab.rpc.getEndpoint({ name });
    expect(revisions[1]).toMatchObject({ state: RevisionState.REVISION_STATE_FAILED });
    await deploy(name, 2, { strategy: Strategy.STRATEGY_DIRECT });
    expect(await lab.answer(name)).toBe(2);
  });

  it('leaves a new endpoint that answers nothing', async () => {
    const name = newEndpoint();
    await expect(deploy(name, 11)).rejects.toMatchObject({ code: ErrorCode.failedPrecondition });
    expect(await lab.predict(name)).toMatchObject({ status: 404 });
  });

  it('whose files are gone says so and does not block the endpoint', async () => {
    await lab.register('flights', 12, await constantModel(12), { digest: `sha256:${'0'.repeat(64)}` });
    const name = await serving();
    await expect(deploy(name, 12)).rejects.toMatchObject({ message: expect.stringContaining('sha256:0000') });
    await deploy(name, 3, { strategy: Strategy.STRATEGY_DIRECT });
    expect(await lab.answer(name)).toBe(3);
  });
});

describe('a canary', () => {
  it('answers its share of the units, always the same ones, and goes up step by step', async () => {
    const name = await serving({ canarySteps: [20, 50] });
    const shareOf = async () => {
      const answers = new Map<string, number>();
      for (let unit = 0; unit < 100; unit += 1)
        answers.set(`unit-${unit}`, await lab.answer(name, `unit-${unit}`));
      return answers;
    };
    const at20 = await shareOf();
    for (const [unit, answer] of at20) expect(await lab.answer(name, unit)).toBe(answer);
    const candidates = (answers: Map<string, number>) => [...answers].filter(([, answer]) => answer === 2);
    // The units' places are a hash of their names, so these counts are the same each time: 20 ± 3 standard deviations.
    expect(candidates(at20).length).toBeGreaterThan(8);
    expect(candidates(at20).length).toBeLessThan(32);

    await promote(name);
    expect(await lab.traffic(name)).toBe('1:50 2:50');
    const at50 = await shareOf();
    expect(candidates(at50).length).toBeGreaterThan(35);
    // Who had the candidate keeps it as its share grows.
    for (const [unit] of candidates(at20)) expect(at50.get(unit)).toBe(2);

    await promote(name);
    expect(await lab.traffic(name)).toBe('2:100');
    expect(await lab.answer(name)).toBe(2);
    const events = await lab.events(name, 'promoted');
    expect(events.at(-1)?.type).toContain('promoted');
  });

  it('can be given everything at once', async () => {
    const name = await serving({ canarySteps: [1] });
    await promote(name, true);
    expect(await lab.traffic(name)).toBe('2:100');
    await expect(promote(name)).rejects.toMatchObject({ code: ErrorCode.failedPrecondition });
  });

  it('keeps a second rollout out until it has ended', async () => {
    const name = await serving({ canarySteps: [10] });
    await expect(deploy(name, 3)).rejects.toMatchObject({
      code: ErrorCode.conflict,
      hint: expect.stringContaining('millrace promote'),
    });
    await rollback(name);
    await deploy(name, 3, { strategy: Strategy.STRATEGY_DIRECT });
    expect(await lab.answer(name)).toBe(3);
  });

  it('is promoted by itself after enough good requests at each step', async () => {
    const name = await serving({ canarySteps: [50], automatic: true, minRequests: 5 });
    await eventually(async () => {
      await lab.answer(name);
      expect(await lab.traffic(name)).toBe('2:100');
    });
    const promoted = (await lab.events(name, 'promoted')).length;
    expect(promoted).toBeGreaterThan(0);
    const events = await eventually(async () => {
      const seen = await typesOf(name, 'promoted');
      return seen;
    });
    expect(events[0]).toBe('started');
  });

  it('that fails too often is rolled back by itself', async () => {
    await lab.register('flights', 20, codeModel(`if (distance === 666) return NaN; return 20;`));
    const name = await serving();
    await deploy(name, 20, { canarySteps: [50], minRequests: 5, maxErrorRate: 0.2 });
    await eventually(async () => {
      await lab.predict(name, { distance: 666, city: 'Bern' });
      expect(await lab.traffic(name)).toBe('1:100');
    });
    const last = (await lab.events(name, 'rolled_back')).at(-1)?.data as {
      actor: { name: string; reason: string };
    };
    expect(last.actor).toMatchObject({
      name: 'service:deployment',
      reason: expect.stringMatching(/requests failed/),
    });
  });
});

describe('a shadow', () => {
  it('gets copies, never answers, and a broken one harms nobody', async () => {
    await lab.register('flights', 21, codeModel(`if (distance === 666) throw new Error('dark'); return 21;`));
    const name = await serving();
    await deploy(name, 21, { strategy: Strategy.STRATEGY_SHADOW });
    expect(await lab.traffic(name)).toBe('1:100 2:100s');
    for (const distance of [100, 666, 100]) {
      const { status, body } = await lab.predict(name, { distance, city: 'Bern' });
      expect([status, body.predictions, body.revision]).toEqual([200, [1], 1]);
    }
    const copies = await eventually(() => {
      const found = lab.batches.filter(({ endpoint }) => endpoint === name).flatMap(({ records }) => records);
      const shadows = found.filter(({ shadow }) => shadow);
      expect(shadows.length).toBeGreaterThanOrEqual(3);
      return shadows;
    });
    expect(copies.map(({ error }) => error === '').filter(Boolean)).toHaveLength(2);
    // A copy is no service: the shadow has not answered anybody.
    const shadow = (await lab.rpc.getEndpoint({ name })).revisions[1];
    expect(shadow).toMatchObject({ servedRequests: 0, firstServedAt: undefined });
  });
});

describe('a blue/green candidate', () => {
  it('is ready without traffic until it gets all of it', async () => {
    const name = await serving({ strategy: Strategy.STRATEGY_BLUE_GREEN });
    for (let i = 0; i < 10; i += 1) expect(await lab.answer(name)).toBe(1);
    await promote(name);
    expect(await lab.answer(name)).toBe(2);
  });
});

describe('a rollback', () => {
  it('during a rollout takes the candidate out and is told with its reason', async () => {
    const name = await serving({ canarySteps: [50] });
    await rollback(name, 'users complain');
    expect(await lab.traffic(name)).toBe('1:100');
    const event = (await lab.events(name, 'rolled_back')).at(-1)?.data;
    expect(event).toMatchObject({
      revision: { number: 2 },
      restored: { number: 1 },
      actor: { name: 'user:ada', reason: 'users complain' },
    });
  });

  it('after a promotion goes back to the last revision that really served', async () => {
    const name = await serving({ strategy: Strategy.STRATEGY_DIRECT });
    // Revision 2 took over but nobody asked it anything before revision 3 came.
    await deploy(name, 3, { strategy: Strategy.STRATEGY_DIRECT });
    expect(await lab.answer(name)).toBe(3);
    await rollback(name);
    expect(await lab.answer(name)).toBe(1);
    expect(await lab.endpoint(name)).toMatchObject({ stableRevision: 1 });
  });

  it('needs a reason, and something to go back to', async () => {
    const name = newEndpoint();
    await deploy(name, 1);
    await expect(rollback(name, '')).rejects.toMatchObject({ code: ErrorCode.invalid });
    await expect(rollback(name)).rejects.toMatchObject({ code: ErrorCode.failedPrecondition });
    await expect(rollback('nowhere')).rejects.toMatchObject({ code: ErrorCode.notFound });
    expect(await lab.answer(name)).toBe(1);
  });

  it('and a promotion at once leave the data plane at what the endpoint says', async () => {
    const name = await serving({ canarySteps: [50] });
    await Promise.allSettled([promote(name, true), rollback(name), promote(name, true), rollback(name)]);
    const { stableRevision, traffic } = await lab.endpoint(name);
    expect(traffic).toMatchObject([{ revision: stableRevision, percent: 100 }]);
    for (let i = 0; i < 5; i += 1) expect(await lab.answer(name)).toBe(stableRevision);
  });
});

describe('an endpoint', () => {
  it('that is deleted answers no more, and begins anew', async () => {
    const name = await serving();
    await lab.rpc.deleteEndpoint({ name, actor: undefined });
    expect(await lab.predict(name)).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    await deploy(name, 2);
    expect(await lab.answer(name)).toBe(2);
    await eventually(async () =>
      expect((await lab.rpc.getEndpoint({ name })).revisions[0]).toMatchObject({
        servedRequests: 1,
        firstServedAt: expect.any(String),
      }),
    );
  });

  it('is listed page by page, with its revisions newest first', async () => {
    const first = await lab.rpc.listEndpoints({ page: { limit: 2, cursor: '' } });
    expect(first.endpoints).toHaveLength(2);
    const next = await lab.rpc.listEndpoints({ page: { limit: 2, cursor: first.page?.nextCursor ?? '' } });
    expect(next.endpoints[0]?.name).not.toBe(first.endpoints[0]?.name);
    const name = await serving({ canarySteps: [10] });
    const { revisions } = await lab.rpc.listRevisions({ endpoint: name, page: undefined });
    expect(revisions.map(({ number }) => number)).toEqual([2, 1]);
  });
});
