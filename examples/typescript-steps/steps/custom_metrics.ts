/** Metrics of our own: `custom_metrics` in recipe.yaml names them. */

interface MetricTable {
  readonly target: readonly number[];
  readonly prediction: readonly number[];
}

/** Squared error in which a fast progression counts for more. */
export const weightedMeanSquaredError = ({ target, prediction }: MetricTable): number => {
  const total = target.reduce((sum, value) => sum + value, 0);
  const weighted = target.reduce((sum, value, row) => sum + value * (value - (prediction[row] ?? 0)) ** 2, 0);
  return weighted / total;
};
