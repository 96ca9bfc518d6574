import { computeMetrics, type Metrics, type TaskDefinition } from '@millrace/metrics';
import type { Prediction } from '@millrace/modeling';
import type { PreparedSplit } from './prepared-data.ts';

/** Metrics of a fit on the rows that it was fitted on, and on the validation rows. */
export interface FitMetrics {
  readonly training: Metrics;
  readonly validation: Metrics;
}

/** All built-in metrics of the split. */
export const score = (task: TaskDefinition, { labels }: PreparedSplit, prediction: Prediction): Metrics =>
  computeMetrics(task, labels, prediction);

/** Predictions of both splits, for the project's own metrics. */
export interface FitPredictions {
  readonly training: Prediction;
  readonly validation: Prediction;
}
