import { Invalid } from '@millrace/errors';
import type { Task } from '../prediction.ts';
import { baselineMajority, baselineMean } from './baseline.ts';
import type { Estimator } from './estimator.ts';
import { gradientBoosting } from './gradient-boosting/gradient-boosting.ts';
import { logistic } from './logistic.ts';
import { ridge } from './ridge.ts';
import { ydfGradientBoostedTrees, ydfRandomForest } from './ydf.ts';

/** The built-in estimators by name. */
export const estimators: ReadonlyMap<string, Estimator> = new Map(
  [
    ydfGradientBoostedTrees,
    ydfRandomForest,
    gradientBoosting,
    ridge,
    logistic,
    baselineMean,
    baselineMajority,
  ].map((estimator) => [estimator.name, estimator]),
);

/** The estimator of that name; throws `Invalid` when there is none or it cannot do the task. */
export const estimatorNamed = (name: string, task: Task, path: string): Estimator => {
  const estimator = estimators.get(name);
  const fitting = [...estimators.values()].filter((candidate) => candidate.tasks.includes(task));
  const hint = `Built-in estimators for ${task}: ${fitting.map((candidate) => candidate.name).join(', ')}.`;
  if (estimator === undefined) throw Invalid.field(path, `there is no estimator "${name}"`, { hint });
  if (!estimator.tasks.includes(task)) throw Invalid.field(path, `"${name}" does not do ${task}`, { hint });
  return estimator;
};
