import { TaskType } from './metric-table.ts';
import type { Observations } from './observations.ts';

/** A row with the error of its prediction. */
export interface RankedPrediction {
  readonly row: number;
  /**
   * Regression: the absolute error. Classification: the probability given to classes other than the true
   * one; without probabilities 1 for a wrong label and 0 for a right one.
   */
  readonly error: number;
}

/** The rows with the largest errors above 0, worst first; equal errors in the order of the rows. */
export const worstPredictions = (observations: Observations, count = 10): readonly RankedPrediction[] => {
  const errors = rowErrors(observations);
  return [...errors.keys()]
    .filter((row) => errors[row]! > 0)
    .sort((a, b) => errors[b]! - errors[a]! || a - b)
    .slice(0, count)
    .map((row) => ({ row, error: errors[row]! }));
};

/** The rows with the smallest errors, best first; equal errors in the order of the rows. */
export const bestPredictions = (observations: Observations, count = 10): readonly RankedPrediction[] => {
  const errors = rowErrors(observations);
  return [...errors.keys()]
    .sort((a, b) => errors[a]! - errors[b]! || a - b)
    .slice(0, count)
    .map((row) => ({ row, error: errors[row]! }));
};

const rowErrors = (observations: Observations): Float64Array => {
  if (observations.type === TaskType.regression) {
    const { target, predicted } = observations;
    return target.map((value, row) => Math.abs(value - predicted[row]!));
  }
  const { target, predicted, probabilities } = observations;
  return Float64Array.from(target, (label, row) => {
    if (probabilities === undefined) return label === predicted[row] ? 0 : 1;
    return 1 - probabilities[label]![row]!;
  });
};
