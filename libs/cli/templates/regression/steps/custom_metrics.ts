/** Metrics of your own. `custom_metrics` in recipe.yaml names the functions; gates can use them like any other. */

interface MetricTable {
  readonly target: readonly number[];
  readonly prediction: readonly number[];
}

/** Share of flights whose arrival was predicted to within 10 minutes, 0 to 1. */
export const within10Minutes = ({ target, prediction }: MetricTable): number =>
  target.filter((value, row) => Math.abs(value - (prediction[row] ?? 0)) <= 10).length / target.length;
