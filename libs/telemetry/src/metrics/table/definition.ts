/** One metric as Prometheus shows it. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Base unit, which the name tells: `seconds`, `bytes`; a count or a share of one has none. */
  readonly unit: '' | 'seconds' | 'bytes';
  /** Names of its labels, all of which every measurement has. Never an id: the values must be few. */
  readonly labels: readonly string[];
  readonly help: string;
  /** Upper bounds of a histogram's buckets, in its unit. */
  readonly buckets?: readonly number[];
  /** What has to be, or to have happened, for it to be shown; absent: any lifecycle of a model shows it. */
  readonly only?: string;
}

/** Requests within one machine. Seconds. */
export const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;
/** Work of a step or a whole pipeline run. Seconds. */
export const workBuckets = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400] as const;
/** Writes and pauses. Seconds. */
export const shortBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5] as const;
/** Things that are done together. */
export const groupBuckets = [1, 2, 5, 10, 20, 50, 100, 200, 512, 1024] as const;

/** Checks that each entry is a definition, and keeps its literal type for the names of labels. */
export const metricsOf = <const T extends Readonly<Record<`millrace_${string}`, MetricDefinition>>>(
  definitions: T,
): T => definitions;
