import { RevisionState, RolloutState, Strategy } from '@millrace/contracts/deployment';
import { Conflict, FailedPrecondition } from '@millrace/errors';
import { describe, expect, it } from 'vitest';
import {
  type Change,
  candidateFailed,
  candidateReady,
  emptyEndpoint,
  judge,
  promote,
  rollback,
  served,
  servedAlready,
  startRollout,
} from './decide.ts';
import type { Endpoint, RolloutPolicy } from './endpoint.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

const policy = (changes: Partial<RolloutPolicy> = {}): RolloutPolicy => ({
  strategy: Strategy.STRATEGY_CANARY,
  canarySteps: [10, 50],
  automatic: false,
  minRequests: 50,
  maxErrorRate: 0.05,
  maxLatencyP95Ms: 0,
  rollbackOnAlert: true,
  ...changes,
});

const version = (modelVersion: number) => ({
  model: 'flights',
  modelVersion,
  modelDigest: `sha256:${modelVersion}`,
  pipelineRunId: '',
});

const must = (change: Change | undefined): Change => {
  if (change === undefined) throw new Error('nothing was decided');
  return change;
};

const started = (endpoint: Endpoint, number: number, second: number, changes?: Partial<RolloutPolicy>) =>
  startRollout(endpoint, version(number), policy(changes), '', at(second)).endpoint;

/** Revision 1 serves everything. */
const serving = () =>
  must(candidateReady(started(emptyEndpoint('flights', 'production', at(0)), 1, 1), at(2))).endpoint;

/** Revision 2 is a canary at 10 %. */
const withCanary = (changes?: Partial<RolloutPolicy>) =>
  must(candidateReady(started(serving(), 2, 3, changes), at(4))).endpoint;

const answered = (endpoint: Endpoint, ...numbers: number[]) =>
  served(endpoint, new Set(numbers), at(5)) ?? endpoint;

describe('a rollout', () => {
  it('gives the first revision of an endpoint all the traffic', () => {
    const { traffic, stableRevision, rollout } = serving();
    expect(traffic).toEqual([{ revision: 1, percent: 100, shadow: false }]);
    expect(stableRevision).toBe(1);
    expect(rollout?.state).toBe(RolloutState.ROLLOUT_STATE_PROMOTED);
  });

  it('gives a revision no traffic before it passed its smoke test', () => {
    expect(started(serving(), 2, 3).traffic).toEqual([{ revision: 1, percent: 100, shadow: false }]);
  });

  it('moves a canary through its steps to all the traffic', () => {
    const first = withCanary();
    expect(first.traffic.map(({ percent }) => percent)).toEqual([90, 10]);
    const second = promote(first, false, at(5));
    expect(second.endpoint.traffic.map(({ percent }) => percent)).toEqual([50, 50]);
    const last = promote(second.endpoint, false, at(6));
    expect(last.endpoint.traffic).toEqual([{ revision: 2, percent: 100, shadow: false }]);
    expect(last.facts).toEqual([{ kind: 'promoted', revision: 2, previous: 1 }]);
    expect(last.endpoint.revisions[0]?.state).toBe(RevisionState.REVISION_STATE_STANDBY);
  });

  it('copies traffic to a shadow and leaves all answers to the stable revision', () => {
    const { traffic } = withCanary({ strategy: Strategy.STRATEGY_SHADOW, canarySteps: [25] });
    expect(traffic).toEqual([
      { revision: 1, percent: 100, shadow: false },
      { revision: 2, percent: 25, shadow: true },
    ]);
  });

  it('holds a blue/green candidate ready without traffic until it is promoted', () => {
    const ready = withCanary({ strategy: Strategy.STRATEGY_BLUE_GREEN, canarySteps: [] });
    expect(ready.traffic.find(({ revision }) => revision === 2)?.percent).toBe(0);
    expect(promote(ready, false, at(5)).endpoint.stableRevision).toBe(2);
  });

  it('leaves the endpoint as it was when the candidate does not come up', () => {
    const before = serving();
    const { endpoint, facts } = must(candidateFailed(started(before, 2, 3), 'broken package', at(4)));
    expect(endpoint.traffic).toEqual(before.traffic);
    expect(endpoint.stableRevision).toBe(1);
    expect(facts).toEqual([{ kind: 'failed', revision: 2, reason: 'broken package' }]);
  });

  it('refuses a second rollout while one is under way', () => {
    expect(() => started(withCanary(), 3, 5)).toThrow(Conflict);
  });

  it('refuses to promote where there is no candidate', () => {
    expect(() => promote(serving(), false, at(5))).toThrow(FailedPrecondition);
  });
});

describe('a rollback', () => {
  it('takes a canary out and gives the stable revision everything', () => {
    const { endpoint, facts } = rollback(withCanary(), 'errors', 'alert_1', at(5));
    expect(endpoint.traffic).toEqual([{ revision: 1, percent: 100, shadow: false }]);
    expect(facts).toEqual([{ kind: 'rolled_back', revision: 2, restored: 1, alertId: 'alert_1' }]);
  });

  it('goes back to the last revision that really answered, not to one that only stood by', () => {
    const two = promote(answered(withCanary(), 1), true, at(6)).endpoint;
    // Revision 2 is replaced by 3 before it ever answers a request.
    const three = promote(must(candidateReady(started(two, 3, 7), at(8))).endpoint, true, at(9)).endpoint;
    const { endpoint } = rollback(three, 'drift', '', at(10));
    expect(endpoint.stableRevision).toBe(1);
  });

  it('is refused when nothing served before', () => {
    expect(() => rollback(serving(), 'why not', '', at(5))).toThrow(FailedPrecondition);
  });
});

describe('a version that is deployed once more', () => {
  const same = (number: number, alias = '') => ({ ...version(number), alias });

  it('is served already by the stable revision, or by the candidate of a rollout under way', () => {
    expect(servedAlready(serving(), same(1, 'production'))?.number).toBe(1);
    expect(servedAlready(withCanary(), same(2))?.number).toBe(2);
  });

  it('is deployed where another one serves, it was taken out, or another alias shall follow', () => {
    expect(servedAlready(serving(), same(2))).toBeUndefined();
    expect(servedAlready(withCanary(), same(1))).toBeUndefined();
    const { endpoint } = rollback(withCanary(), 'slow', '', at(5));
    expect(servedAlready(endpoint, same(2))).toBeUndefined();
    expect(servedAlready(endpoint, same(1))?.number).toBe(1);
    expect(servedAlready(serving(), same(1, 'staging'))).toBeUndefined();
  });
});

describe('the judgement of a candidate', () => {
  const rollout = (changes: Partial<RolloutPolicy>) =>
    withCanary(changes).rollout as NonNullable<Endpoint['rollout']>;

  it('promotes by itself only when told so and after enough requests', () => {
    const good = { requests: 50, errors: 0, latencyP95Ms: 3 };
    expect(judge(rollout({ automatic: true }), good).kind).toBe('promote');
    expect(judge(rollout({ automatic: false }), good).kind).toBe('wait');
    expect(judge(rollout({ automatic: true }), { ...good, requests: 49 }).kind).toBe('wait');
  });

  it('rolls back on too many errors or too slow answers, once enough were seen', () => {
    expect(judge(rollout({}), { requests: 19, errors: 19, latencyP95Ms: 3 }).kind).toBe('wait');
    expect(judge(rollout({}), { requests: 20, errors: 2, latencyP95Ms: 3 }).kind).toBe('roll_back');
    expect(judge(rollout({ maxLatencyP95Ms: 10 }), { requests: 20, errors: 0, latencyP95Ms: 11 }).kind).toBe(
      'roll_back',
    );
  });
});
