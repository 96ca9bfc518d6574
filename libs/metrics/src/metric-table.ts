/** Kinds of task, named as the recipe derives them. */
export const TaskType = {
  regression: 'regression',
  binary: 'classification/binary',
  multiclass: 'classification/multiclass',
} as const;
export type TaskType = (typeof TaskType)[keyof typeof TaskType];

export interface MetricDefinition {
  readonly name: string;
  /** Absent for a description of the data, which no gate or search can use. */
  readonly greaterIsBetter?: boolean;
  /** Not computed when the model gives no class probabilities. */
  readonly needsProbabilities?: true;
}

const higher = (name: string): MetricDefinition => ({ name, greaterIsBetter: true });
const lower = (name: string): MetricDefinition => ({ name, greaterIsBetter: false });
const fact = (name: string): MetricDefinition => ({ name });
const withProbabilities = (definition: MetricDefinition): MetricDefinition => ({
  ...definition,
  needsProbabilities: true,
});

/** Every built-in metric by task, under the names of MLflow Recipes; the primary metric comes first. */
export const metricTable: Readonly<Record<TaskType, readonly MetricDefinition[]>> = {
  [TaskType.regression]: [
    lower('root_mean_squared_error'),
    lower('mean_absolute_error'),
    lower('mean_squared_error'),
    lower('max_error'),
    lower('mean_absolute_percentage_error'),
    lower('median_absolute_error'),
    higher('r2_score'),
    fact('example_count'),
    fact('mean_on_target'),
    fact('sum_on_target'),
  ],
  [TaskType.binary]: [
    higher('f1_score'),
    higher('accuracy_score'),
    higher('recall_score'),
    higher('precision_score'),
    withProbabilities(higher('roc_auc')),
    withProbabilities(higher('precision_recall_auc')),
    withProbabilities(lower('log_loss')),
    withProbabilities(lower('brier_score_loss')),
    withProbabilities(lower('expected_calibration_error')),
    higher('true_positives'),
    higher('true_negatives'),
    lower('false_positives'),
    lower('false_negatives'),
    fact('example_count'),
  ],
  [TaskType.multiclass]: [
    higher('f1_score_macro'),
    higher('f1_score_micro'),
    higher('f1_score_weighted'),
    higher('accuracy_score'),
    higher('recall_score'),
    higher('precision_score'),
    higher('recall_score_macro'),
    higher('precision_score_macro'),
    withProbabilities(higher('roc_auc')),
    withProbabilities(lower('log_loss')),
    withProbabilities(lower('brier_score_loss')),
    withProbabilities(lower('expected_calibration_error')),
    fact('example_count'),
  ],
};

/** The metric that ranks models when the recipe names none. */
export const primaryMetricOf = (task: TaskType): string => metricTable[task][0]!.name;

export const findMetric = (task: TaskType, name: string): MetricDefinition | undefined =>
  metricTable[task].find((definition) => definition.name === name);
