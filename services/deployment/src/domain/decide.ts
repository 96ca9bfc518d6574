import { RevisionState, RolloutState, Strategy } from '@millrace/contracts/deployment';
import { Conflict, FailedPrecondition } from '@millrace/errors';
import {
  type Endpoint,
  type Revision,
  type Rollout,
  type RolloutPolicy,
  revisionOf,
  type TrafficShare,
} from './endpoint.ts';

/** What happened to an endpoint, for the events to be published. */
export type Fact =
  | { readonly kind: 'started'; readonly revision: number }
  | { readonly kind: 'traffic_shifted'; readonly revision: number }
  | { readonly kind: 'promoted'; readonly revision: number; readonly previous: number }
  | {
      readonly kind: 'rolled_back';
      readonly revision: number;
      readonly restored: number;
      readonly alertId: string;
    }
  | { readonly kind: 'failed'; readonly revision: number; readonly reason: string };

export interface Change {
  readonly endpoint: Endpoint;
  readonly facts: readonly Fact[];
}

export interface NewRevision {
  readonly model: string;
  readonly modelVersion: number;
  readonly modelDigest: string;
  readonly pipelineRunId: string;
  /** Of what deploys it. */
  readonly traceparent?: string;
}

/** Revisions kept of one endpoint; the oldest retired ones go first. */
const keptRevisions = 50;

const isOpen = (rollout: Rollout | undefined): rollout is Rollout =>
  rollout?.state === RolloutState.ROLLOUT_STATE_STARTING ||
  rollout?.state === RolloutState.ROLLOUT_STATE_IN_PROGRESS;

/** An endpoint that nothing was deployed to yet. */
export const emptyEndpoint = (name: string, alias: string, now: string): Endpoint => ({
  name,
  stableRevision: 0,
  traffic: [],
  alias,
  nextRevision: 1,
  revisions: [],
  createdAt: now,
});

/**
 * The revision that serves a model version already, or is about to: deploying it once more would roll out what is
 * there. While a rollout is under way that is its candidate, else the stable revision.
 */
export const servedAlready = (
  endpoint: Endpoint,
  {
    model,
    modelVersion,
    alias,
  }: { readonly model: string; readonly modelVersion: number; readonly alias: string },
): Revision | undefined => {
  if (alias !== '' && alias !== endpoint.alias) return undefined;
  const { rollout, stableRevision } = endpoint;
  const revision = revisionOf(endpoint, isOpen(rollout) ? rollout.candidateRevision : stableRevision);
  return revision?.model === model && revision.modelVersion === modelVersion ? revision : undefined;
};

/** Begins a rollout. Throws `Conflict` while another is under way. */
export const startRollout = (
  endpoint: Endpoint,
  revision: NewRevision,
  policy: RolloutPolicy,
  alias: string,
  now: string,
): Change => {
  if (isOpen(endpoint.rollout)) {
    throw new Conflict(
      `revision ${endpoint.rollout.candidateRevision} of ${endpoint.name} is being rolled out already`,
      { hint: `Promote it or roll it back first: millrace promote|rollback ${endpoint.name}.` },
    );
  }
  const number = endpoint.nextRevision;
  const added: Revision = {
    ...revision,
    number,
    state: RevisionState.REVISION_STATE_STARTING,
    error: '',
    createdAt: now,
  };
  return {
    endpoint: {
      ...endpoint,
      alias: alias === '' ? endpoint.alias : alias,
      nextRevision: number + 1,
      revisions: forgetOldest([...endpoint.revisions, added], endpoint),
      rollout: {
        candidateRevision: number,
        stableRevision: endpoint.stableRevision,
        policy,
        state: RolloutState.ROLLOUT_STATE_STARTING,
        step: 0,
        startedAt: now,
        reason: '',
      },
    },
    facts: [{ kind: 'started', revision: number }],
  };
};

/**
 * The candidate is loaded and passed its smoke test. At an endpoint where nothing serves it takes all the traffic,
 * whatever the strategy: there is nothing to be careful of, and nobody else to answer.
 */
export const candidateReady = (endpoint: Endpoint, now: string): Change | undefined => {
  const rollout = endpoint.rollout;
  if (rollout?.state !== RolloutState.ROLLOUT_STATE_STARTING) return undefined;
  const number = rollout.candidateRevision;
  const ready = withState(endpoint, number, RevisionState.REVISION_STATE_READY);
  if (rollout.stableRevision === 0 || rollout.policy.strategy === Strategy.STRATEGY_DIRECT) {
    return fullyPromoted(ready, rollout, now);
  }
  return atStep({ ...ready, rollout: { ...rollout, state: RolloutState.ROLLOUT_STATE_IN_PROGRESS } }, 0);
};

/** The candidate did not come up: the endpoint serves as before. */
export const candidateFailed = (endpoint: Endpoint, reason: string, now: string): Change | undefined => {
  const rollout = endpoint.rollout;
  if (rollout?.state !== RolloutState.ROLLOUT_STATE_STARTING) return undefined;
  const number = rollout.candidateRevision;
  const failed = withState(endpoint, number, RevisionState.REVISION_STATE_FAILED, reason);
  return {
    endpoint: {
      ...failed,
      rollout: { ...rollout, state: RolloutState.ROLLOUT_STATE_FAILED, endedAt: now, reason },
    },
    facts: [{ kind: 'failed', revision: number, reason }],
  };
};

/** The candidate's next share, or all the traffic. Throws `FailedPrecondition` when there is no candidate. */
export const promote = (endpoint: Endpoint, full: boolean, now: string): Change => {
  const rollout = endpoint.rollout;
  if (rollout?.state !== RolloutState.ROLLOUT_STATE_IN_PROGRESS) {
    throw new FailedPrecondition(`${endpoint.name} has no candidate to promote`, {
      hint: 'Deploy one first: millrace deploy.',
    });
  }
  const next = rollout.step + 1;
  if (full || next >= rollout.policy.canarySteps.length) return fullyPromoted(endpoint, rollout, now);
  return atStep(endpoint, next);
};

/**
 * Where a rollback would lead: during a rollout to the stable revision, afterwards to the last one that was
 * stable before and really answered requests.
 */
export const rollbackTarget = (endpoint: Endpoint): Revision | undefined => {
  if (isOpen(endpoint.rollout)) return revisionOf(endpoint, endpoint.rollout.stableRevision);
  return endpoint.revisions
    .filter(
      ({ number, state, firstServedAt }) =>
        number !== endpoint.stableRevision &&
        state === RevisionState.REVISION_STATE_STANDBY &&
        firstServedAt !== undefined,
    )
    .sort((a, b) => (a.lastServedAt ?? '').localeCompare(b.lastServedAt ?? ''))
    .at(-1);
};

/** Takes out the candidate or the stable revision. Throws `FailedPrecondition` when nothing served before. */
export const rollback = (endpoint: Endpoint, reason: string, alertId: string, now: string): Change => {
  const open = isOpen(endpoint.rollout);
  const target = rollbackTarget(endpoint);
  const removed = open ? (endpoint.rollout?.candidateRevision ?? 0) : endpoint.stableRevision;
  if (target === undefined || removed === 0) {
    throw new FailedPrecondition(
      `no revision of ${endpoint.name} served before: there is nothing to go back to`,
    );
  }
  const states = withState(
    withState(endpoint, removed, RevisionState.REVISION_STATE_ROLLED_BACK, reason),
    target.number,
    RevisionState.REVISION_STATE_READY,
  );
  const rollout = endpoint.rollout;
  return {
    endpoint: {
      ...states,
      stableRevision: target.number,
      traffic: all(target.number),
      ...(rollout === undefined
        ? {}
        : { rollout: { ...rollout, state: RolloutState.ROLLOUT_STATE_ROLLED_BACK, endedAt: now, reason } }),
    },
    facts: [{ kind: 'rolled_back', revision: removed, restored: target.number, alertId }],
  };
};

/** Notes that revisions answered requests for the first time. */
export const served = (
  endpoint: Endpoint,
  numbers: ReadonlySet<number>,
  now: string,
): Endpoint | undefined => {
  const isNews = ({ number, firstServedAt }: Revision) => numbers.has(number) && firstServedAt === undefined;
  if (!endpoint.revisions.some(isNews)) return undefined;
  return {
    ...endpoint,
    revisions: endpoint.revisions.map((revision) =>
      isNews(revision) ? { ...revision, firstServedAt: now, lastServedAt: now } : revision,
    ),
  };
};

/** What a candidate did since its current step began. */
export interface StepObservation {
  readonly requests: number;
  readonly errors: number;
  readonly latencyP95Ms: number;
}

export type Judgement =
  | { readonly kind: 'wait' }
  | { readonly kind: 'promote' }
  | { readonly kind: 'roll_back'; readonly reason: string };

/** Fewer requests than this say nothing about a rate of errors. */
const fewestToJudge = 20;

/** Whether the candidate may go on, must go, or has not been seen enough. */
export const judge = (rollout: Rollout, seen: StepObservation): Judgement => {
  if (rollout.state !== RolloutState.ROLLOUT_STATE_IN_PROGRESS) return { kind: 'wait' };
  const { policy } = rollout;
  if (seen.requests >= Math.min(fewestToJudge, policy.minRequests)) {
    const rate = seen.errors / seen.requests;
    if (rate > policy.maxErrorRate) {
      const reason = `${seen.errors} of ${seen.requests} requests failed, more than ${policy.maxErrorRate * 100} %`;
      return { kind: 'roll_back', reason };
    }
    if (policy.maxLatencyP95Ms > 0 && seen.latencyP95Ms > policy.maxLatencyP95Ms) {
      const reason = `p95 latency ${seen.latencyP95Ms.toFixed(1)} ms is above ${policy.maxLatencyP95Ms} ms`;
      return { kind: 'roll_back', reason };
    }
  }
  return policy.automatic && seen.requests >= policy.minRequests ? { kind: 'promote' } : { kind: 'wait' };
};

const all = (revision: number): readonly TrafficShare[] => [{ revision, percent: 100, shadow: false }];

const atStep = (endpoint: Endpoint, step: number): Change => {
  const rollout = endpoint.rollout as Rollout;
  const { candidateRevision: candidate, stableRevision: stable, policy } = rollout;
  return {
    endpoint: {
      ...endpoint,
      rollout: { ...rollout, step },
      traffic: sharesAt(policy, step, candidate, stable),
    },
    facts: [{ kind: 'traffic_shifted', revision: candidate }],
  };
};

const sharesAt = (
  policy: RolloutPolicy,
  step: number,
  candidate: number,
  stable: number,
): readonly TrafficShare[] => {
  const percent = policy.canarySteps[step] ?? 0;
  if (policy.strategy === Strategy.STRATEGY_SHADOW) {
    return [...all(stable), { revision: candidate, percent, shadow: true }];
  }
  return [
    { revision: stable, percent: 100 - percent, shadow: false },
    { revision: candidate, percent, shadow: false },
  ];
};

const fullyPromoted = (endpoint: Endpoint, rollout: Rollout, now: string): Change => {
  const { candidateRevision: candidate, stableRevision: previous } = rollout;
  const revisions = endpoint.revisions.map((revision) =>
    revision.number === previous
      ? { ...revision, state: RevisionState.REVISION_STATE_STANDBY, lastServedAt: now }
      : revision,
  );
  return {
    endpoint: {
      ...endpoint,
      revisions,
      stableRevision: candidate,
      traffic: all(candidate),
      rollout: {
        ...rollout,
        state: RolloutState.ROLLOUT_STATE_PROMOTED,
        step: rollout.policy.canarySteps.length,
        endedAt: now,
      },
    },
    facts: [{ kind: 'promoted', revision: candidate, previous }],
  };
};

const withState = (endpoint: Endpoint, number: number, state: RevisionState, error = ''): Endpoint => ({
  ...endpoint,
  revisions: endpoint.revisions.map((revision) =>
    revision.number === number ? { ...revision, state, error } : revision,
  ),
});

const forgetOldest = (revisions: readonly Revision[], { stableRevision }: Endpoint): readonly Revision[] =>
  revisions.length <= keptRevisions
    ? revisions
    : revisions.filter(({ number }, i) => i > 0 || number === stableRevision);
