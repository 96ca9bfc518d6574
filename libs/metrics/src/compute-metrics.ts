import { classificationEvaluator } from './classification.ts';
import { TaskType } from './metric-table.ts';
import {
  type Label,
  type Observations,
  observe,
  type Prediction,
  type TaskDefinition,
} from './observations.ts';
import { type Evaluator, regressionEvaluator } from './regression.ts';

/** Metric name → value. A metric that is not defined for the rows (ROC of one class) is absent. */
export type Metrics = Readonly<Record<string, number>>;

/** Does the sorting and per-row work once, so that many weightings (resamples) cost one pass each. */
export const prepareEvaluator = (observations: Observations): Evaluator =>
  observations.type === TaskType.regression
    ? regressionEvaluator(observations)
    : classificationEvaluator(observations);

/** All metrics of `metricTable[observations.type]` that are defined for the observations. */
export const metricsOf = (observations: Observations): Metrics =>
  definedOnly(prepareEvaluator(observations)(observations.weights));

/**
 * All metrics of a task, equal to scikit-learn's.
 * @throws Invalid as `observe`.
 */
export const computeMetrics = (
  task: TaskDefinition,
  target: ArrayLike<Label | null>,
  prediction: Prediction,
  weights?: ArrayLike<number>,
): Metrics => metricsOf(observe(task, target, prediction, weights));

const definedOnly = (values: Metrics): Metrics =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)));
