import { quantile } from './bootstrap.ts';
import type { RegressionObservations } from './observations.ts';

/** Residuals are target − prediction: positive where the model predicts too little. */
export interface ResidualSummary {
  readonly mean: number;
  /** Population standard deviation. */
  readonly standardDeviation: number;
  /** Minimum, 5 %, 25 %, 50 %, 75 %, 95 % and maximum. */
  readonly quantiles: readonly { readonly share: number; readonly value: number }[];
  readonly histogram: readonly HistogramBin[];
}

export interface HistogramBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

const shares = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1];

/** Describes the residuals; rows count alike, whatever their weights. */
export const residualSummary = (
  { target, predicted }: RegressionObservations,
  binCount = 30,
): ResidualSummary => {
  const residuals = target.map((value, row) => value - predicted[row]!).sort();
  const mean = residuals.reduce((sum, value) => sum + value, 0) / residuals.length;
  const variance = residuals.reduce((sum, value) => sum + (value - mean) ** 2, 0) / residuals.length;
  return {
    mean,
    standardDeviation: Math.sqrt(variance),
    quantiles: shares.map((share) => ({ share, value: quantile(residuals, share) })),
    histogram: histogram(residuals, binCount),
  };
};

/** Equal-width bins over the whole range; the last one includes its upper end. One bin when all are equal. */
const histogram = (sorted: Float64Array, binCount: number): readonly HistogramBin[] => {
  const low = sorted[0]!;
  const width = (sorted.at(-1)! - low) / binCount;
  if (width === 0) return [{ from: low, to: low, count: sorted.length }];
  const counts = new Array<number>(binCount).fill(0);
  for (const value of sorted) counts[Math.min(binCount - 1, Math.floor((value - low) / width))]! += 1;
  return counts.map((count, index) => ({ from: low + index * width, to: low + (index + 1) * width, count }));
};
