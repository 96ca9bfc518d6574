export { computeMetrics, type Metrics, metricsOf, prepareEvaluator } from './compute-metrics.ts';
export { findMetric, type MetricDefinition, metricTable, primaryMetricOf, TaskType } from './metric-table.ts';
export {
  type ClassificationObservations,
  type Label,
  type Observations,
  observe,
  type Prediction,
  type RegressionObservations,
  type TaskDefinition,
} from './observations.ts';
export { createRandom, defaultSeed, type Random } from './random.ts';
export type { Evaluator } from './regression.ts';
