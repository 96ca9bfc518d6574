/** Metrics of your own. `custom_metrics` in recipe.yaml names the functions; gates can use them like any other. */

interface MetricTable {
  readonly target: readonly string[];
  readonly prediction: readonly string[];
}

/** What wrong predictions cost per flight: a late one that was missed counts three times a false alarm. */
export const costPerFlight = ({ target, prediction }: MetricTable): number => {
  const costs = target.map((value, row): number => {
    if (value === prediction[row]) return 0;
    return value === 'yes' ? 3 : 1;
  });
  return costs.reduce((sum, cost) => sum + cost, 0) / target.length;
};
