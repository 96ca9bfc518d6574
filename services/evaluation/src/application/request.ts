import type { Artifact, RecipeContext, StepCommand } from '@millrace/contracts/step';
import { Invalid } from '@millrace/errors';
import { type TaskDefinition, TaskType } from '@millrace/metrics';
import { isPythonRecipe, requireMessage, requireText } from '@millrace/service-kit';
import { type CustomMetricDefinition, type MetricCatalog, metricCatalog } from '../domain/metric-catalog.ts';
import { type EvaluationPlan, planOf } from '../domain/plan.ts';
import type { ReportFacts } from '../domain/report.ts';

/** A step command, checked, in the words of this service. */
export interface EvaluateRequest {
  /** The same for every delivery of one attempt. */
  readonly reportId: string;
  readonly identity: Pick<
    ReportFacts,
    'modelDigest' | 'modelName' | 'datasetVersionId' | 'dataDigest' | 'trainingRunId' | 'pipelineRunId'
  >;
  readonly validationDigest: string;
  /** Whether the recipe's own functions are in Python. */
  readonly python: boolean;
  /** Manifest of the project's files; empty without a project. */
  readonly projectDigest: string;
  readonly task: TaskDefinition;
  readonly targetColumn: string;
  readonly seed: number;
  readonly customMetrics: readonly CustomMetricDefinition[];
  readonly catalog: MetricCatalog;
  readonly plan: EvaluationPlan;
}

/** @throws Invalid naming the field that is missing or wrong. */
export const evaluateRequest = ({ command }: { readonly command: StepCommand }): EvaluateRequest => {
  const recipe = requireMessage('recipe', command.recipe);
  const task = taskOf(recipe);
  const catalog = metricCatalog(task.type, recipe.primaryMetric, recipe.customMetrics);
  return {
    reportId: `${command.pipelineRunId}.${command.step}.${command.attempt}`,
    identity: {
      modelDigest: digestOf(inputOfKind(command, 'model'), 'model'),
      modelName: recipe.modelName,
      datasetVersionId: inputOfKind(command, 'dataset_version')?.id ?? '',
      dataDigest: digestOf(splitNamed(command, 'test'), 'test'),
      trainingRunId: inputOfKind(command, 'training_run')?.id ?? '',
      pipelineRunId: command.pipelineRunId,
    },
    validationDigest: digestOf(splitNamed(command, 'validation'), 'validation'),
    python: isPythonRecipe(command),
    projectDigest: command.project?.manifestDigest ?? '',
    task,
    targetColumn: requireText('recipe.target_column', recipe.targetColumn),
    seed: recipe.seed,
    customMetrics: recipe.customMetrics,
    catalog,
    plan: planOf(command.config, catalog),
  };
};

const taskOf = ({ task, positiveClass }: RecipeContext): TaskDefinition => {
  switch (task) {
    case TaskType.regression:
    case TaskType.multiclass:
      return { type: task };
    case TaskType.binary:
      return { type: task, positiveClass: requireText('recipe.positive_class', positiveClass) };
    default:
      throw Invalid.field('recipe.task', `"${task}" is not one of ${Object.values(TaskType).join(', ')}`);
  }
};

const inputOfKind = ({ inputs }: StepCommand, kind: string): Artifact | undefined =>
  inputs.find((artifact) => artifact.kind === kind);

const splitNamed = ({ inputs }: StepCommand, name: string): Artifact | undefined =>
  inputs.find((artifact) => artifact.kind === 'split' && artifact.name === name);

const digestOf = (artifact: Artifact | undefined, name: string): string =>
  requireText(`inputs.${name}.digest`, artifact?.digest ?? '');
