import type { RecipeContext, StepCommand } from '@millrace/contracts/step';
import { RunStatus } from '@millrace/contracts/training';
import { requireMessage, requireText } from '@millrace/service-kit';
import { experimentIdOf, paramTexts, type RunDocument, runIdOf } from '../domain/run.ts';
import { estimatorTask, objectiveOf, taskOf } from '../domain/task.ts';
import { type ChosenEstimator, type TrainPlan, trainPlan } from '../domain/train-plan.ts';
import type { TrainingContext } from './ports.ts';

/** A train command, checked, in the words of this service. */
export interface TrainRequest {
  readonly command: StepCommand;
  readonly recipe: RecipeContext;
  readonly plan: TrainPlan;
  readonly task: ReturnType<typeof taskOf>;
  readonly objective: ReturnType<typeof objectiveOf>;
  readonly experimentName: string;
  readonly targetColumn: string;
}

/** Throws `Invalid` naming the field that is missing or wrong. */
export const trainRequest = (command: StepCommand): TrainRequest => {
  const recipe = requireMessage('recipe', command.recipe);
  const task = taskOf(recipe);
  return {
    command,
    recipe,
    task,
    plan: trainPlan(command.config ?? {}, estimatorTask(task)),
    objective: objectiveOf(recipe, task),
    experimentName: experimentNameOf(recipe),
    targetColumn: requireText('recipe.target_column', recipe.targetColumn),
  };
};

export const usingOf = (estimator: ChosenEstimator): string =>
  estimator.kind === 'builtin' ? estimator.estimator.name : `custom:${estimator.method}`;

/** The run of the command as it begins. */
export const newRun = (
  { environment, now }: Pick<TrainingContext, 'environment' | 'now'>,
  { command, recipe, plan, experimentName }: TrainRequest,
): RunDocument => ({
  ...begunRun(command, recipe, experimentName, now()),
  params: { using: usingOf(plan.estimator), ...paramTexts(plan.params) },
  environment: {
    nodeVersion: environment.node,
    pythonVersion: '',
    platform: environment.platform,
    lockDigest: environment.lockDigest,
    packages: { ...environment.packages },
  },
});

/** What every run is at its beginning, whatever trains. `now` in milliseconds since the epoch. */
export const begunRun = (
  command: StepCommand,
  recipe: RecipeContext,
  experimentName: string,
  now: number,
): Omit<RunDocument, 'params' | 'environment'> => {
  const id = runIdOf(command.pipelineRunId, command.step, command.attempt);
  return {
    id,
    experimentId: experimentIdOf(experimentName),
    name: `${command.project?.project || 'train'}-${id.slice(0, 8)}`,
    status: RunStatus.RUN_STATUS_RUNNING,
    metrics: {},
    tags: tagsOf(command, recipe),
    artifacts: [],
    codeCommit: command.project?.commit ?? '',
    codeDirtyDigest: command.project?.dirtyDigest ?? '',
    seed: recipe.seed,
    parentRunId: '',
    pipelineRunId: command.pipelineRunId,
    datasetVersionId: command.inputs.find(({ kind }) => kind === 'dataset_version')?.id ?? '',
    modelDigest: '',
    startedAt: new Date(now).toISOString(),
    finishedAt: '',
    error: '',
    warnings: [],
  };
};

/** The experiment of a recipe that names none. */
export const experimentNameOf = ({ experimentName }: RecipeContext): string =>
  experimentName === '' ? 'default' : experimentName;

const tagsOf = (command: StepCommand, recipe: RecipeContext): Record<string, string> => {
  const tags = {
    'millrace.project': command.project?.project,
    'millrace.snapshot': command.project?.manifestDigest,
    'millrace.recipe': recipe.kind,
    'millrace.profile': recipe.profile,
    'millrace.step': command.step,
    'millrace.attempt': String(command.attempt),
    'millrace.actor': command.actor?.name,
    // As MLflow Recipes tags its runs, so that what searches for those finds these.
    'mlflow.source.type': 'RECIPE',
    'mlflow.source.git.commit': command.project?.commit,
    'mlflow.pipeline.template.name': recipe.kind,
    'mlflow.pipeline.profile.name': recipe.profile,
    'mlflow.pipeline.step.name': command.step,
  };
  return Object.fromEntries(Object.entries(tags).flatMap(([name, value]) => (value ? [[name, value]] : [])));
};
