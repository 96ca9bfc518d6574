import type { TailedEvent } from '@millrace/bus';
import { type BlobFindings, readNamedBlobs } from './artifacts.ts';
import { describeBrokenSequence, findBrokenSequences } from './event-sequences.ts';
import type { Evidence } from './evidence.ts';
import type { History } from './history.ts';
import { findProjectionDifferences } from './projections.ts';
import { findExcess, type ResourceLimits, type Resources, usualLimits } from './resources.ts';
import { findSecret } from './secrets.ts';
import type { Workload, WorkloadFindings } from './workload.ts';

/** I1 … I10: what must hold after every fault. */
export const invariantTitles = {
  I1: 'no acknowledged write is missing',
  I2: 'no effect twice',
  I3: 'everything has ended or is visibly owned',
  I4: 'projections equal a rebuild from the event log',
  I5: 'one version is live per alias, and it passed its gate',
  I6: 'artifact bytes match their digests',
  I7: 'failed calls are safe to repeat',
  I8: 'no secret in logs, dead letters or errors',
  I9: 'memory, files and queues are bounded',
  I10: 'recovery within its limit',
} as const;
export type InvariantId = keyof typeof invariantTitles;

export interface Finding {
  readonly id: InvariantId;
  /** What was looked at: `120 writes`. */
  readonly looked: string;
  /** Empty when it holds. */
  readonly violations: readonly string[];
}

/** What a fault may leave behind that would be wrong without it. */
export interface Allowances {
  /** The same event again on the stream, as after a stream was rebuilt or its messages were sent twice on purpose. */
  readonly repeatedEvents?: boolean;
  /** Events of an entity out of order on the stream, as after it was rebuilt or shuffled on purpose. */
  readonly reorderedEvents?: boolean;
  /** Blobs whose read may fail, as after one was damaged; never wrong bytes. */
  readonly unreadableBlobs?: boolean;
  /** Numbers missing in the stream's middle, as after it lost some: consumers were refilled instead. */
  readonly missingEvents?: boolean;
  /** Dead letters, as after poison. */
  readonly deadLetters?: boolean;
  /** Calls refused although their input was right, as where the fault is that the platform refuses. */
  readonly refusals?: boolean;
}

export interface CheckOptions {
  readonly evidence: Evidence;
  readonly history: History;
  readonly workload: Workload;
  readonly secret: string;
  readonly before: Resources;
  readonly after: Resources;
  readonly allow?: Allowances;
  readonly limits?: ResourceLimits;
  /** Seconds until which everything must be well again; generous, because test machines are slow. */
  readonly recoveryLimit?: number;
}

export interface Verdict {
  readonly findings: readonly Finding[];
  readonly writes: WorkloadFindings;
}

const usualRecoveryLimit = 120;

/** Checks all ten. Reads over the API; throws nothing of what it finds. */
export const checkInvariants = async (options: CheckOptions): Promise<Verdict> => {
  const { evidence, history, workload, secret, before, after } = options;
  const allow = options.allow ?? {};
  const writes = await workload.find();
  const blobs = await readNamedBlobs(evidence);
  const finding = (id: InvariantId, looked: string, violations: readonly string[]): Finding => ({
    id,
    looked,
    violations,
  });
  const limit = options.recoveryLimit ?? usualRecoveryLimit;
  const findings = [
    finding('I1', `${writes.acknowledged} acknowledged writes`, writes.missing),
    finding('I2', `${writes.found} effects, ${evidence.events.length} events`, [
      ...writes.twice,
      ...eventViolations(evidence.events, allow),
      ...doubledResults(evidence),
    ]),
    finding('I3', `${evidence.runs.length} runs, ${evidence.endpoints.length} endpoints`, unended(evidence)),
    finding('I4', `${evidence.events.length} events`, await findProjectionDifferences(evidence)),
    finding('I5', `${evidence.aliasMoves.length} alias moves`, wrongLive(evidence)),
    finding('I6', `${blobs.read} blobs`, wrongBlobs(blobs, allow)),
    finding('I7', `${history.operations.length} calls`, unsafeCalls(workload, writes, allow)),
    finding('I8', 'logs, events, errors', [
      ...(await findSecret(secret, evidence, history)),
      ...(allow.deadLetters
        ? []
        : evidence.deadLetters.map(({ subject, reason }) => `dead letter ${subject}: ${reason}`)),
    ]),
    finding(
      'I9',
      `${Object.keys(after.processes).length} processes`,
      findExcess(before, after, options.limits ?? usualLimits),
    ),
    finding(
      'I10',
      `${history.recoveries.length} recoveries, ${history.recoverySeconds.toFixed(1)} s the longest`,
      history.recoverySeconds > limit
        ? [`${history.recoverySeconds.toFixed(1)} s are more than ${limit} s`]
        : [],
    ),
  ];
  return { findings, writes };
};

const eventViolations = (events: readonly TailedEvent[], allow: Allowances): readonly string[] =>
  findBrokenSequences(events)
    .filter(
      ({ claimedTwice, repeated, missing, overtaken }) =>
        claimedTwice.length > 0 ||
        (overtaken.length > 0 && !allow.reorderedEvents) ||
        (repeated.length > 0 && !allow.repeatedEvents) ||
        (missing.length > 0 && !allow.missingEvents),
    )
    .map(describeBrokenSequence);

/** Two results of one attempt of a step. */
const doubledResults = ({ events }: Evidence): readonly string[] => {
  const ids = new Map<string, Set<string>>();
  for (const { type, key, id } of events) {
    if (/\.step\.(succeeded|failed)\.v1$/.test(type)) ids.set(key, (ids.get(key) ?? new Set()).add(id));
  }
  return [...ids].flatMap(([key, own]) => (own.size > 1 ? [`attempt ${key} has ${own.size} results`] : []));
};

/** What is neither over nor waiting for a person. */
const unended = ({ runs, trainingRuns, endpoints }: Evidence): readonly string[] => {
  const done = new Set(['RUN_STATE_SUCCEEDED', 'RUN_STATE_FAILED', 'RUN_STATE_CANCELLED']);
  return [
    ...runs.flatMap(({ id, state, steps }) => {
      if (done.has(state)) {
        const open = steps.filter((step) => step.state === 'STEP_STATE_RUNNING');
        return open.map(({ name }) => `step ${name} of the ended run ${id} is still said to run`);
      }
      return state === 'RUN_STATE_WAITING' ? [] : [`pipeline run ${id} is still ${state}`];
    }),
    ...trainingRuns.flatMap(({ id, status, pipelineRunId }) => {
      const ended = runs.some((run) => run.id === pipelineRunId && done.has(run.state));
      return ended && status === 'RUN_STATUS_RUNNING' ? [`training run ${id} is still said to run`] : [];
    }),
    ...endpoints.flatMap(({ endpoint }) =>
      endpoint?.rollout?.state === 'ROLLOUT_STATE_STARTING'
        ? [`endpoint ${endpoint.name} is still starting`]
        : [],
    ),
  ];
};

/** Aliases and endpoints that name nobody, too many, or what did not pass. */
const wrongLive = ({ models, modelVersions, reports, endpoints }: Evidence): readonly string[] => {
  const versionOf = (model: string, version: number) =>
    modelVersions.find((each) => each.model === model && each.version === version);
  const aliasViolations = models.flatMap(({ name, aliases }) =>
    Object.entries(aliases).flatMap(([alias, version]) => {
      const holders = modelVersions.filter((each) => each.model === name && each.aliases.includes(alias));
      const live = versionOf(name, version);
      const report = reports.find(({ id }) => id === live?.evaluationReportId);
      return [
        ...(holders.length === 1 && holders[0]?.version === version
          ? []
          : [
              `${name}@${alias} points to ${version}, and versions ${holders.map((v) => v.version)} say they have it`,
            ]),
        ...(live?.approvalState === 'APPROVAL_STATE_APPROVED'
          ? []
          : [`${name}@${alias} is live without approval`]),
        ...(report?.verdict === 'VERDICT_VALIDATED' && report.modelDigest === live?.digest
          ? []
          : [`${name}@${alias} is live without a passed evaluation of its digest`]),
      ];
    }),
  );
  const trafficViolations = endpoints.flatMap(({ endpoint, revisions }) => {
    const shares = (endpoint?.traffic ?? []).filter(({ shadow }) => !shadow);
    if (shares.length === 0) return [];
    const sum = shares.reduce((total, { percent }) => total + percent, 0);
    const unready = shares.filter(
      (share) => revisions.find(({ number }) => number === share.revision)?.state !== 'REVISION_STATE_READY',
    );
    return [
      ...(sum === 100 ? [] : [`endpoint ${endpoint?.name} gives out ${sum} % of its traffic`]),
      ...unready.map(
        ({ revision }) =>
          `endpoint ${endpoint?.name} sends traffic to revision ${revision}, which is not ready`,
      ),
    ];
  });
  return [...aliasViolations, ...trafficViolations];
};

const wrongBlobs = ({ wrong, failed }: BlobFindings, allow: Allowances): readonly string[] => [
  ...wrong,
  ...(allow.unreadableBlobs ? [] : failed),
];

const unsafeCalls = (
  workload: Workload,
  { phantoms }: WorkloadFindings,
  allow: Allowances,
): readonly string[] => [
  ...phantoms.map((name) => `${name} is there although it was refused or never written`),
  ...(allow.refusals
    ? []
    : workload.unexpected().map(({ kind, number, code, error }) => `${kind} ${number}: ${code}: ${error}`)),
];

/** `I1 no acknowledged write is missing: holds (120 acknowledged writes)`, or each violation on a line. */
export const describeFindings = (findings: readonly Finding[]): string =>
  findings
    .map(({ id, looked, violations }) => {
      const head = `${id} ${invariantTitles[id]}`;
      if (violations.length === 0) return `${head}: holds (${looked})`;
      const shown = violations.slice(0, 20).map((violation) => `    ${violation.replaceAll('\n', '\n    ')}`);
      const more = violations.length > 20 ? [`    … and ${violations.length - 20} more`] : [];
      return [`${head}: BROKEN, ${violations.length} times (${looked})`, ...shown, ...more].join('\n');
    })
    .join('\n');
