import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Invalid } from '@millrace/errors';
import type { Prediction } from '../prediction.ts';
import type { MetricTable } from '../user-steps.ts';

/** Where a project's metric functions are. */
export const customMetricsFile = 'steps/custom_metrics.ts';

export interface CustomMetricReference {
  readonly name: string;
  /** Exported function of `steps/custom_metrics.ts`. */
  readonly function: string;
}

type MetricFunction = (table: MetricTable, builtIn: Readonly<Record<string, number>>) => unknown;

/**
 * Computes a project's metrics. To be called in the user's own process only. Throws `Invalid` when a function
 * is missing or gives anything but a finite number.
 */
export const computeCustomMetrics = async (
  root: string,
  metrics: readonly CustomMetricReference[],
  target: readonly (number | string | boolean)[],
  prediction: Prediction,
  builtIn: Readonly<Record<string, number>>,
): Promise<Record<string, number>> => {
  const module = (await import(pathToFileURL(join(root, customMetricsFile)).href)) as Record<string, unknown>;
  const values: Record<string, number> = {};
  for (const metric of metrics) {
    const compute = metricFunction(module, metric);
    // A fresh copy each: a function may change what it is given.
    values[metric.name] = finite(metric, await compute(metricTable(target, prediction), { ...builtIn }));
  }
  return values;
};

const metricFunction = (module: Record<string, unknown>, metric: CustomMetricReference): MetricFunction => {
  const found = module[metric.function];
  if (typeof found === 'function') return found as MetricFunction;
  throw Invalid.field('custom_metrics', `${customMetricsFile} exports no function "${metric.function}"`, {
    hint: `It exports: ${Object.keys(module).join(', ') || 'nothing'}.`,
  });
};

const finite = (metric: CustomMetricReference, value: unknown): number => {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw Invalid.field(
    'custom_metrics',
    `custom metric "${metric.name}" gave ${String(value)}, not a finite number`,
  );
};

/** What metric functions are given: labels in the target's own type. A fresh copy. */
export const metricTable = (
  target: readonly (number | string | boolean)[],
  prediction: Prediction,
): MetricTable => {
  if (prediction.kind === 'regression') return { target: [...target], prediction: [...prediction.values] };
  const own = ownTypeOf(target[0]);
  return {
    target: [...target],
    prediction: prediction.labels.map(own),
    classes: [...prediction.classes],
    ...(prediction.probabilities === undefined
      ? {}
      : { probabilities: prediction.probabilities.map((row) => [...row]) }),
  };
};

const ownTypeOf = (
  example: number | string | boolean | undefined,
): ((label: string) => number | string | boolean) => {
  if (typeof example === 'number') return Number;
  return typeof example === 'boolean' ? (label) => label === 'true' : (label) => label;
};
