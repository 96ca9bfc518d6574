import type { RecipeContext } from '@millrace/contracts/step';
import { Invalid } from '@millrace/errors';
import { findMetric, type TaskDefinition, TaskType } from '@millrace/metrics';
import type { Task } from '@millrace/modeling';

/** What kind of estimator the task needs. */
export const estimatorTask = ({ type }: TaskDefinition): Task =>
  type === TaskType.regression ? 'regression' : 'classification';

/** The recipe's task. Throws `Invalid` naming the field. */
export const taskOf = ({ task, positiveClass }: RecipeContext): TaskDefinition => {
  switch (task) {
    case TaskType.regression:
    case TaskType.multiclass:
      return { type: task };
    case TaskType.binary:
      if (positiveClass === '') throw Invalid.field('recipe.positive_class', 'is required for two classes');
      return { type: task, positiveClass };
    default:
      throw Invalid.field('recipe.task', `"${task}" is not one of ${Object.values(TaskType).join(', ')}`);
  }
};

/** What trials are ranked by. */
export interface Objective {
  readonly metric: string;
  readonly greaterIsBetter: boolean;
}

/** The primary metric with its direction, among the built-in and the recipe's own. */
export const objectiveOf = (
  { primaryMetric, customMetrics }: RecipeContext,
  task: TaskDefinition,
): Objective => {
  const custom = customMetrics.find(({ name }) => name === primaryMetric);
  if (custom !== undefined) return { metric: custom.name, greaterIsBetter: custom.greaterIsBetter };
  const greaterIsBetter = findMetric(task.type, primaryMetric)?.greaterIsBetter;
  if (greaterIsBetter !== undefined) return { metric: primaryMetric, greaterIsBetter };
  throw Invalid.field('recipe.primary_metric', `"${primaryMetric}" cannot rank models of task ${task.type}`);
};

/** Lower is better, whatever the metric's direction. */
export const lossOf = (
  { metric, greaterIsBetter }: Objective,
  metrics: Readonly<Record<string, number>>,
): number | undefined => {
  const value = metrics[metric];
  if (value === undefined) return undefined;
  return greaterIsBetter ? -value : value;
};
