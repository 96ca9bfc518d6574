export {
  type BootstrapOptions,
  bootstrapIntervals,
  type Difference,
  type Interval,
  pairedBootstrap,
  quantile,
} from './bootstrap.ts';
export type { ClassScores } from './classification.ts';
export { computeMetrics, type Metrics, metricsOf, prepareEvaluator } from './compute-metrics.ts';
export {
  type CalibrationPoint,
  type ConfusionMatrix,
  calibrationCurve,
  confusionMatrix,
  type LiftPoint,
  liftCurve,
  type ThresholdPoint,
  thin,
  thresholdCurve,
} from './curves.ts';
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
export { type Importance, type PermutationOptions, permutationImportance } from './permutation-importance.ts';
export type { Evaluator } from './regression.ts';
export { type HistogramBin, type ResidualSummary, residualSummary } from './residuals.ts';
export { type Coalition, type ShapleyOptions, shapleyValues } from './shapley-values.ts';
export { wilsonInterval } from './wilson.ts';
export { bestPredictions, type RankedPrediction, worstPredictions } from './worst-predictions.ts';
