import type { TaskDefinition } from '@millrace/metrics';

/** Checks of a rule, named as in the recipe and in `Rule.check` of the contract. */
export const Check = {
  featureDrift: 'feature_drift',
  predictionDrift: 'prediction_drift',
  missingRate: 'missing_rate',
  dataQuality: 'data_quality',
  errorRate: 'error_rate',
  latencyP95: 'latency_p95_ms',
  performance: 'performance',
} as const;
export type Check = (typeof Check)[keyof typeof Check];

export type Severity = 'warning' | 'critical';

/** When to alarm, and how hard. */
export interface Rule {
  readonly name: string;
  readonly check: Check;
  /** Metric of a `performance` rule. */
  readonly metric?: string;
  /** Bound of `missing_rate`, `error_rate`, `latency_p95_ms` and `performance`. */
  readonly threshold?: number;
  readonly severity: Severity;
  /** Raised when this many of the last `ofWindows` windows break it; resolved when this many in a row keep it. */
  readonly fireAfter: number;
  readonly ofWindows: number;
}

export const driftTests = [
  'psi',
  'jensen_shannon',
  'kolmogorov_smirnov',
  'chi_squared',
  'wasserstein',
  'missing_rate',
] as const;

export interface DriftSettings {
  readonly falseAlarmRate: number;
  readonly minEffect: number;
  /** Features watched; empty: all of the baseline but the target. */
  readonly features: readonly string[];
  /** Tests to run instead of the defaults; empty: the defaults. */
  readonly tests: readonly (typeof driftTests)[number][];
}

/** What a revision of the endpoint is compared with. */
export interface Binding {
  readonly revision: number;
  readonly model: string;
  readonly modelVersion: number;
  readonly datasetVersionId: string;
  readonly profileDigest: string;
  /** Profile with a column `prediction`; empty: the first window without drift becomes the baseline. */
  readonly predictionProfileDigest: string;
  readonly targetColumn: string;
  readonly task: TaskDefinition;
}

/** What watches an endpoint. Key: the endpoint. */
export interface MonitorDocument {
  readonly endpoint: string;
  /** Number of the binding in force. */
  readonly revision: number;
  /** Bindings by revision number, so that a rollback finds its baseline again. */
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly windowRecords: number;
  readonly windowMaxAgeMs: number;
  readonly drift: DriftSettings;
  readonly rules: readonly Rule[];
  readonly retrainOnDrift: boolean;
  readonly retrainCoolDownMs: number;
  /** Whether an alert may undo a rollout. */
  readonly rollbackOnAlert: boolean;
  readonly project: string;
  readonly seed: number;
  /** Trace context of the run that set it up; empty without one. */
  readonly trace: Readonly<Record<string, string>>;
  /** ISO 8601; absent: not muted. */
  readonly mutedUntil?: string;
  readonly updatedAt: string;
}

/** What the recipe's `monitor:` section settles. */
export type MonitorSettings = Pick<
  MonitorDocument,
  | 'windowRecords'
  | 'windowMaxAgeMs'
  | 'drift'
  | 'rules'
  | 'retrainOnDrift'
  | 'retrainCoolDownMs'
  | 'rollbackOnAlert'
>;

/** Bindings kept for rollbacks. */
const keptBindings = 20;

/** The binding in force. */
export const currentBinding = ({ bindings, revision }: MonitorDocument): Binding => {
  const binding = bindings[String(revision)];
  if (binding === undefined) throw new Error(`monitor without a binding for its revision ${revision}`);
  return binding;
};

/** Kept with each binding, since every record is compared by it. */
const bindingIds = new WeakMap<Binding, string>();

/** Identifies what sketches are made over: windows of different bindings must not be mixed. */
export const bindingId = (binding: Binding): string => {
  const known = bindingIds.get(binding);
  if (known !== undefined) return known;
  const { revision, profileDigest, predictionProfileDigest, targetColumn } = binding;
  const id = [revision, profileDigest, predictionProfileDigest, targetColumn].join('|');
  bindingIds.set(binding, id);
  return id;
};

/** The monitor after a revision was bound to its baseline. */
export const bind = (
  before: MonitorDocument | undefined,
  given: {
    readonly endpoint: string;
    readonly project: string;
    readonly seed: number;
    readonly binding: Binding;
    readonly settings: MonitorSettings;
    readonly trace: Readonly<Record<string, string>>;
    readonly at: string;
  },
): MonitorDocument => {
  const { endpoint, project, seed, binding, settings, trace, at } = given;
  const { [String(binding.revision)]: _replaced, ...others } = before?.bindings ?? {};
  const kept = Object.entries(others)
    .sort(([a], [b]) => Number(b) - Number(a))
    .slice(0, keptBindings - 1);
  return {
    endpoint,
    project,
    seed,
    ...settings,
    trace,
    revision: binding.revision,
    bindings: { ...Object.fromEntries(kept), [String(binding.revision)]: binding },
    ...(before?.mutedUntil === undefined ? {} : { mutedUntil: before.mutedUntil }),
    updatedAt: at,
  };
};

export const isMuted = (monitor: MonitorDocument, now: number): boolean =>
  monitor.mutedUntil !== undefined && Date.parse(monitor.mutedUntil) > now;
