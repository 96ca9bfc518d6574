import { Invalid } from '@millrace/errors';
import { computeMetrics, type Metrics, type TaskDefinition } from '@millrace/metrics';

/** A prediction with the truth that came later. */
export interface LabelledPrediction {
  readonly prediction: number | string | boolean;
  readonly label: number | string;
  /** Class → probability; empty for regression, and where the model gives none. */
  readonly probabilities: Readonly<Record<string, number>>;
}

const regressionMetrics = (task: TaskDefinition, rows: readonly LabelledPrediction[]): Metrics => {
  const numbers = rows.filter(
    (row) => typeof row.prediction === 'number' && Number.isFinite(Number(row.label)),
  );
  if (numbers.length === 0) return {};
  return computeMetrics(
    task,
    numbers.map(({ label }) => Number(label)),
    { kind: 'regression', values: numbers.map(({ prediction }) => Number(prediction)) },
  );
};

const classesOf = (rows: readonly LabelledPrediction[], task: TaskDefinition): string[] => {
  const classes = new Set<string>(task.type === 'classification/binary' ? [String(task.positiveClass)] : []);
  for (const { prediction, label, probabilities } of rows) {
    for (const name of [...Object.keys(probabilities), String(prediction), String(label)]) classes.add(name);
  }
  return [...classes].sort();
};

const classificationMetrics = (task: TaskDefinition, rows: readonly LabelledPrediction[]): Metrics => {
  const classes = classesOf(rows, task);
  // One class on both sides tells nothing; three where two are due means labels of another kind.
  if (classes.length < 2 || (task.type === 'classification/binary' && classes.length > 2)) return {};
  const withProbabilities = rows.every(({ probabilities }) => Object.keys(probabilities).length > 0);
  return computeMetrics(
    task,
    rows.map(({ label }) => String(label)),
    {
      kind: 'classification',
      classes,
      labels: rows.map(({ prediction }) => String(prediction)),
      ...(withProbabilities
        ? { probabilities: rows.map(({ probabilities }) => classes.map((name) => probabilities[name] ?? 0)) }
        : {}),
    },
  );
};

/**
 * Metrics of a window's labelled predictions, by the names of `@millrace/metrics`; empty where none can be
 * measured, as with probabilities that are none.
 */
export const measurePerformance = (task: TaskDefinition, rows: readonly LabelledPrediction[]): Metrics => {
  if (rows.length === 0) return {};
  try {
    return task.type === 'regression' ? regressionMetrics(task, rows) : classificationMetrics(task, rows);
  } catch (thrown) {
    // What clients and models send must not keep a window from closing.
    if (thrown instanceof Invalid) return {};
    throw thrown;
  }
};
