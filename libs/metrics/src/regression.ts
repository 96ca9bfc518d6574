import type { RegressionObservations } from './observations.ts';

/** Computes all metrics for the given row weights, or with every row counting once. */
export type Evaluator = (weights?: Float64Array) => Readonly<Record<string, number>>;

/**
 * Prepares the regression metrics. Formulas are scikit-learn's (`sklearn.metrics`), including R² of a
 * constant target: 1 for a perfect prediction, else 0. `NaN` means not defined for these rows.
 */
export const regressionEvaluator = (observations: RegressionObservations): Evaluator => {
  const { target, predicted, rowCount } = observations;
  const absolute = new Float64Array(rowCount);
  const relative = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    absolute[row] = Math.abs(target[row]! - predicted[row]!);
    relative[row] = absolute[row]! / Math.max(Math.abs(target[row]!), Number.EPSILON);
  }
  const ascending = orderBy(absolute);

  return (weights) => {
    let total = 0;
    let count = 0;
    let sumTarget = 0;
    let sumAbsolute = 0;
    let sumSquared = 0;
    let sumRelative = 0;
    let largest = 0;
    for (let row = 0; row < rowCount; row++) {
      const weight = weights === undefined ? 1 : weights[row]!;
      if (weight === 0) continue;
      const error = absolute[row]!;
      total += weight;
      count += 1;
      sumTarget += weight * target[row]!;
      sumAbsolute += weight * error;
      sumSquared += weight * error * error;
      sumRelative += weight * relative[row]!;
      if (error > largest) largest = error;
    }
    const mean = sumTarget / total;
    return {
      root_mean_squared_error: Math.sqrt(sumSquared / total),
      mean_absolute_error: sumAbsolute / total,
      mean_squared_error: sumSquared / total,
      max_error: largest,
      mean_absolute_percentage_error: sumRelative / total,
      median_absolute_error: weightedMedian(absolute, ascending, total, weights),
      r2_score: count < 2 ? Number.NaN : r2(sumSquared, squaresAround(target, mean, weights)),
      example_count: total,
      mean_on_target: mean,
      sum_on_target: sumTarget,
    };
  };
};

/** Row numbers in ascending order of the values. */
export const orderBy = (values: Float64Array): Uint32Array =>
  new Uint32Array(values.length).map((_, row) => row).sort((a, b) => values[a]! - values[b]!);

const squaresAround = (values: Float64Array, mean: number, weights?: Float64Array): number => {
  let sum = 0;
  for (let row = 0; row < values.length; row++) {
    const distance = values[row]! - mean;
    sum += (weights === undefined ? 1 : weights[row]!) * distance * distance;
  }
  return sum;
};

const r2 = (residual: number, around: number): number => {
  if (around !== 0) return 1 - residual / around;
  return residual === 0 ? 1 : 0;
};

/** The median as the averaged inverted distribution function: with equal weights the usual median. */
const weightedMedian = (
  values: Float64Array,
  ascending: Uint32Array,
  total: number,
  weights?: Float64Array,
): number => {
  const half = total / 2;
  let below = 0;
  for (let rank = 0; rank < ascending.length; rank++) {
    const row = ascending[rank]!;
    below += weights === undefined ? 1 : weights[row]!;
    if (below < half) continue;
    if (below - half > Number.EPSILON) return values[row]!;
    const next = ascending.subarray(rank + 1).find((other) => weights === undefined || weights[other]! > 0);
    return next === undefined ? values[row]! : (values[row]! + values[next]!) / 2;
  }
  return Number.NaN;
};
