import { ascending } from '../../statistics.ts';

/** Columns of numbers as small integers: which of its bins each value falls into. */
export interface BinnedData {
  readonly rowCount: number;
  /** Per column, the bin of each row; `missingBin` for a missing value. */
  readonly bins: readonly Uint8Array[];
  /** Per column: value `x` is in the first bin whose threshold is not below it, or in the last. */
  readonly thresholds: readonly Float64Array[];
  /** Per column, whether any training value is missing. */
  readonly hasMissing: readonly boolean[];
}

export const missingBin = 255;

/** Distinct values looked at when thresholds are chosen, at most. */
const mostSampled = 200_000;

/** Bins each column by its own values: at distinct values while there are few, else at quantiles. */
export const binColumns = (columns: readonly Float64Array[], maxBins: number): BinnedData => {
  const thresholds = columns.map((column) => thresholdsOf(column, maxBins));
  const bins = columns.map((column, index) =>
    column.reduce(assign(thresholds[index] ?? new Float64Array()), new Uint8Array(column.length)),
  );
  return {
    rowCount: columns[0]?.length ?? 0,
    bins,
    thresholds,
    hasMissing: columns.map((column) => column.some(Number.isNaN)),
  };
};

const assign =
  (thresholds: Float64Array) =>
  (bins: Uint8Array, value: number, row: number): Uint8Array => {
    bins[row] = Number.isNaN(value) ? missingBin : lowerBound(thresholds, value);
    return bins;
  };

/** Index of the first threshold that is not below the value. */
const lowerBound = (thresholds: Float64Array, value: number): number => {
  let low = 0;
  let high = thresholds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((thresholds[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
};

const thresholdsOf = (column: Float64Array, maxBins: number): Float64Array => {
  const stride = Math.max(1, Math.ceil(column.length / mostSampled));
  const sorted = ascending(
    Array.from(column).filter((value, row) => row % stride === 0 && !Number.isNaN(value)),
  );
  const distinct = sorted.filter((value, index) => index === 0 || value !== sorted[index - 1]);
  if (distinct.length <= maxBins) {
    return Float64Array.from(distinct.slice(1), (value, index) => ((distinct[index] ?? 0) + value) / 2);
  }
  const step = 100 / maxBins;
  const cuts = Array.from({ length: maxBins - 1 }, (_, index) =>
    averagedQuantile(sorted, ((index + 1) * step) / 100),
  );
  return Float64Array.from(new Set(cuts));
};

/** The inverse of the empirical distribution, averaged where it jumps: numpy's `averaged_inverted_cdf`. */
const averagedQuantile = (sorted: readonly number[], fraction: number): number => {
  const position = sorted.length * fraction - 1;
  const lower = Math.floor(position);
  const next = sorted[lower + 1] ?? 0;
  return position === lower ? ((sorted[lower] ?? 0) + next) / 2 : next;
};
