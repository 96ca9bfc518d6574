import { join } from 'node:path';
import type { Artifact, RecipeContext, StepCommand } from '@millrace/contracts/step';
import type { Environment } from '@millrace/contracts/training';
import { Invalid } from '@millrace/errors';
import type { OnnxParity } from '@millrace/modeling';
import type { PythonEnvironment } from '@millrace/python-runtime';
import { requireMessage, type StepContext, type StepResult } from '@millrace/service-kit';
import { finiteOnly, prefixed, pythonParamTexts, type RunDocument } from '../../domain/run.ts';
import { type Objective, objectiveOf, taskOf } from '../../domain/task.ts';
import type { TrainingContext } from '../ports.ts';
import { storeDirectory, storeFile, storeTable } from '../store-package.ts';
import { begunRun, experimentNameOf } from '../train-request.ts';
import { type CardedOutcome, inTrainingRun, runArtifact, withRunCard } from '../training-run.ts';
import { layOutPackage, packageArtifact } from '../workspace.ts';
import { pythonTrainCard } from './cards.ts';
import { modelCode } from './model-code.ts';
import { recordTrials, type Trial } from './record-trials.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

type Values = Readonly<Record<string, unknown>>;

/** What the job `train` answers. */
export interface Trained {
  readonly params: Values;
  readonly metrics: { readonly training: Values; readonly validation: Values };
  readonly trials: readonly Trial[];
  readonly best_parameters: Values | null;
  readonly estimator: { readonly class: string; readonly module: string };
  /** The pipeline as text. */
  readonly description: string;
  readonly rows: { readonly training: number; readonly validation: number };
  /** Training rows by the error of their prediction. */
  readonly worst: readonly Values[];
  readonly best: readonly Values[];
  readonly flavors: readonly string[];
  readonly onnx?: OnnxParity;
  readonly warnings: readonly string[];
}

interface TrainRequest {
  readonly command: StepCommand;
  readonly recipe: RecipeContext;
  readonly objective: Objective;
  readonly config: Values;
  readonly using: string;
}

/**
 * The step `train` of a recipe in Python. Outputs: `model` (an MLflow model directory as a package), `training_run`,
 * `predicted_training_data`, `best_parameters`, `training_details` (what the job answered, as JSON) and `card`.
 */
export const runPythonTrain = (context: TrainingContext, step: StepContext): Promise<StepResult> => {
  const request = trainRequest(step.command);
  const { recipe, using } = request;
  const experimentName = experimentNameOf(recipe);
  const run = {
    ...begunRun(step.command, recipe, experimentName, context.now()),
    params: { using },
    environment: { ...noEnvironment, platform: context.environment.platform },
  };
  return inTrainingRun(context, step, { experimentName, run }, async (begun, directory) => {
    const workshop = await openWorkshop(context, step, directory);
    const trained = await train(context, request, workshop, step, directory);
    step.progress(0.93, 'storing the model');
    const environment = environmentOf(workshop.environment);
    await recordTrials(context, { ...begun, environment }, trained.trials);
    const artifacts = await storeOutputs(context, workshop.output, begun, trained);
    const outcome = outcomeOf(request, trained, artifacts, environment);
    const shown = {
      run: { ...begun, environment },
      objective: request.objective,
      customMetrics: recipe.customMetrics.map(({ name }) => name),
      trained,
      model: join(workshop.output, 'model'),
    };
    return withRunCard(step, context.blobs, outcome, (made) => pythonTrainCard(context, step, shown, made));
  });
};

/** Throws `Invalid` naming the field that is missing or wrong. */
const trainRequest = (command: StepCommand): TrainRequest => {
  const recipe = requireMessage('recipe', command.recipe);
  const config = command.config ?? {};
  return {
    command,
    recipe,
    config,
    objective: objectiveOf(recipe, taskOf(recipe)),
    using: usingOf(config),
  };
};

const usingOf = ({ using, estimator_method: method }: Values): string => {
  if (using === 'automl/flaml') return using;
  if (using !== undefined && using !== 'custom') {
    throw Invalid.field(
      'steps.train.using',
      `${String(using)} is not there in a recipe with Python functions`,
      {
        hint: 'Name a function of steps/train.py in estimator_method, or use automl/flaml.',
      },
    );
  }
  if (typeof method !== 'string')
    throw Invalid.field('steps.train.estimator_method', 'is missing: using is custom');
  return `custom:${method}`;
};

const train = async (
  { blobs }: TrainingContext,
  { recipe, objective, config }: TrainRequest,
  workshop: Workshop,
  step: StepContext,
  directory: string,
): Promise<Trained> => {
  const { environment, output } = workshop;
  const transform = join(directory, 'transform');
  await layOutPackage(blobs, step.input('transform').digest, transform);
  const input = {
    ...workshop.recipe,
    train: await workshop.input('train'),
    validation: await workshop.input('validation'),
    transformed_train: await workshop.input('transformed_training_data'),
    transformed_validation: await workshop.input('transformed_validation_data'),
    transformer: join(transform, 'transformer.pkl'),
    config,
    primary_metric: objective.metric,
    greater_is_better: objective.greaterIsBetter,
    custom_metrics: recipe.customMetrics.map(({ name, function: method, greaterIsBetter }) => ({
      name,
      function: method,
      greater_is_better: greaterIsBetter,
    })),
    environment: {
      python_version: environment.pythonVersion,
      requirements: environment.lock.split('\n').filter((line) => line !== ''),
      wheels: environment.wheels,
    },
    code_files: await modelCode(workshop.recipe.project, workshop.projectFiles),
    output_dir: output,
  };
  return workshop.run('train', input, [0.05, 0.92]);
};

const noEnvironment: Environment = {
  nodeVersion: '',
  pythonVersion: '',
  platform: '',
  lockDigest: '',
  packages: {},
};

const environmentOf = (environment: PythonEnvironment): Environment => ({
  nodeVersion: process.versions.node,
  pythonVersion: environment.pythonVersion,
  platform: environment.platform,
  lockDigest: environment.lockDigest,
  packages: { ...environment.packages },
});

const storeOutputs = async (
  { blobs }: TrainingContext,
  output: string,
  run: RunDocument,
  trained: Trained,
): Promise<readonly Artifact[]> => {
  const predicted = await storeTable(
    blobs,
    'predicted_training_data',
    join(output, 'predicted_training_data.parquet'),
  );
  const parameters = await storeFile(blobs, join(output, 'best_parameters.yaml'), {
    name: 'best_parameters',
    kind: 'parameters',
    mediaType: 'application/yaml',
  });
  const details = await blobs.put(new TextEncoder().encode(`${JSON.stringify(trained)}\n`));
  const stored = await storeDirectory(blobs, join(output, 'model'));
  const model = packageArtifact('model', 'model', stored, {
    estimator: nameOf(trained),
    flavor: trained.flavors.join(','),
    totalBytes: String(stored.totalBytes),
    runId: run.id,
  });
  return [
    { ...model, id: '' },
    runArtifact(run),
    predicted,
    parameters,
    {
      name: 'training_details',
      kind: 'details',
      id: '',
      ...details,
      mediaType: 'application/json',
      attributes: {},
    },
  ];
};

/** `sklearn.linear_model.Ridge` */
const nameOf = ({ estimator }: Trained): string => `${estimator.module}.${estimator.class}`;

const outcomeOf = (
  { recipe, objective, using }: TrainRequest,
  trained: Trained,
  artifacts: readonly Artifact[],
  environment: Environment,
): CardedOutcome => {
  const { params, trials, warnings } = trained;
  const metrics = {
    ...prefixed('training_', finiteOnly(trained.metrics.training)),
    ...prefixed('val_', finiteOnly(trained.metrics.validation)),
  };
  const primary = `val_${objective.metric}`;
  const model = artifacts.find(({ kind }) => kind === 'model');
  return {
    params: { ...pythonParamTexts(params), using, seed: String(recipe.seed) },
    metrics,
    tags: { estimator_name: trained.estimator.class, estimator_class: nameOf(trained) },
    artifacts,
    environment,
    modelDigest: model?.digest ?? '',
    summary: {
      using,
      estimator: nameOf(trained),
      ...(metrics[primary] === undefined ? {} : { [primary]: metrics[primary] }),
      primaryMetric: objective.metric,
      params,
      modelBytes: Number(model?.attributes.totalBytes ?? 0),
      flavors: trained.flavors,
      ...(trained.onnx === undefined ? {} : { onnx: trained.onnx }),
      ...(trained.best_parameters === null ? {} : { bestParameters: trained.best_parameters }),
      ...(trials.length === 0
        ? {}
        : { trials: trials.length, failedTrials: trials.filter(({ status }) => status === 'failed').length }),
    },
    warnings,
  };
};
