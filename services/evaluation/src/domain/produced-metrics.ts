import { Invalid } from '@millrace/errors';
import type { Gate } from './gate.ts';
import type { MetricEstimate } from './measurement.ts';
import type { CustomMetricDefinition } from './metric-catalog.ts';

/**
 * Holds the criteria on the whole test split to what came out: one whose metric has no value can be neither met nor missed.
 *
 * @throws Invalid naming the criterion, the function where the project computes the metric, and the metrics that came
 */
export const requireProduced = (
  gates: readonly Gate[],
  metrics: readonly MetricEstimate[],
  custom: readonly CustomMetricDefinition[],
): void => {
  const produced = new Set(metrics.map(({ name }) => name));
  const missing = gates.find(
    (gate) => !produced.has(gate.metric) && (gate.kind === 'champion' || gate.slice === ''),
  );
  if (missing === undefined) return;
  const own = custom.find(({ name }) => name === missing.metric);
  const reason =
    own === undefined
      ? `"${missing.metric}" cannot be computed of this model's predictions for the test rows`
      : `the function "${own.function}" of custom_metrics gave no finite number for "${missing.metric}"`;
  const declared = custom.map((metric) => `${metric.name} (${metric.function})`).join(', ') || 'none';
  throw Invalid.field(`${missing.path}.metric`, reason, {
    hint: `These came: ${[...produced].join(', ')}. Custom metrics of the recipe: ${declared}.`,
  });
};
