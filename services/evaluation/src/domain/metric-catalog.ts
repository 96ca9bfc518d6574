import { findMetric, metricTable, primaryMetricOf, type TaskType } from '@millrace/metrics';

/** A metric that the project computes itself, in `steps/custom_metrics.ts`. */
export interface CustomMetricDefinition {
  readonly name: string;
  /** Exported function. */
  readonly function: string;
  readonly greaterIsBetter: boolean;
}

/** What can be said of a metric's name. */
export interface KnownMetric {
  readonly name: string;
  /** Absent for a description of the data. */
  readonly greaterIsBetter?: boolean;
  readonly custom: boolean;
}

/** The metrics of one recipe: the task's own, and the project's, which win over a built-in of the same name. */
export interface MetricCatalog {
  readonly task: TaskType;
  /** Ranks models, and is what importance is measured on. */
  readonly primary: string;
  find(name: string): KnownMetric | undefined;
  names(): readonly string[];
}

export const metricCatalog = (
  task: TaskType,
  primaryMetric: string,
  customMetrics: readonly CustomMetricDefinition[],
): MetricCatalog => {
  const custom = new Map(customMetrics.map((metric) => [metric.name, metric]));
  const find = (name: string): KnownMetric | undefined => {
    const own = custom.get(name);
    if (own !== undefined) return { name, greaterIsBetter: own.greaterIsBetter, custom: true };
    const builtIn = findMetric(task, name);
    return builtIn === undefined ? undefined : { ...builtIn, custom: false };
  };
  return {
    task,
    primary: primaryMetric === '' ? primaryMetricOf(task) : primaryMetric,
    find,
    names: () => [...new Set([...metricTable[task].map(({ name }) => name), ...custom.keys()])],
  };
};

/** The metric that importance is measured on: the primary one, unless only the project can compute it. */
export const importanceMetric = ({ task, primary, find }: MetricCatalog): string =>
  find(primary)?.custom === false && find(primary)?.greaterIsBetter !== undefined
    ? primary
    : primaryMetricOf(task);
