/** What a measured value has to reach. */
export type Target =
  | { readonly kind: 'at_most'; readonly value: number }
  | { readonly kind: 'at_least'; readonly value: number };

export const atMost = (value: number): Target => ({ kind: 'at_most', value });
export const atLeast = (value: number): Target => ({ kind: 'at_least', value });

/** One measure, repeated. */
export interface Figure {
  readonly measure: string;
  /** `ms`, `MB`, `/s`, `%`, `×`. */
  readonly unit: string;
  /** One value per repeat, in the order taken. */
  readonly values: readonly number[];
  readonly target?: Target;
  /** The same work without the platform's logic, measured in the same run, with its unit. */
  readonly floor?: string;
}

export interface BenchmarkContext {
  /** Tells how far it is. */
  readonly note: (text: string) => void;
  /** `process.env` of the processes under test, without settings of ours that happen to be set. */
  readonly env: NodeJS.ProcessEnv;
}

export interface Benchmark {
  readonly name: string;
  /** One line: what is measured. */
  readonly title: string;
  /**
   * Measures, then checks that what was done is what was asked for.
   *
   * @throws VoidRun when anything was lost, doubled or wrong: the figures then mean nothing
   */
  readonly run: (context: BenchmarkContext) => Promise<readonly Figure[]>;
}

/** The work was not done as asked, so its speed says nothing. */
export class VoidRun extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'VoidRun';
  }
}

/** Throws `VoidRun` unless it holds. */
export const mustHold = (condition: boolean, otherwise: () => string): void => {
  if (!condition) throw new VoidRun(otherwise());
};

/** Middle of the sorted values; the mean of both where two are in the middle. `NaN` of none. */
export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** Linear interpolation between the two nearest ranks. `NaN` of none. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
};

/** Whether the median reaches the target; `undefined` without one. */
export const isMet = ({ values, target }: Figure): boolean | undefined => {
  if (target === undefined) return undefined;
  const value = median(values);
  return target.kind === 'at_most' ? value <= target.value : value >= target.value;
};
