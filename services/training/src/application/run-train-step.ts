import { join } from 'node:path';
import type { Artifact } from '@millrace/contracts/step';
import {
  type CustomMetricReference,
  customMetricsFile,
  flavorOf,
  type UserFunction,
} from '@millrace/modeling';
import { isPythonRecipe, type StepContext, type StepHandler } from '@millrace/service-kit';
import { paramTexts, prefixed, type RunDocument } from '../domain/run.ts';
import { estimatorTask } from '../domain/task.ts';
import { paramsFor } from '../domain/train-plan.ts';
import type { PackageJobInput, PackageJobOutput } from '../jobs/package.job.ts';
import type { PrepareInput, PrepareOutput } from '../jobs/prepare.job.ts';
import type { UserTransformInput } from '../jobs/user-transform.job.ts';
import { type Fit, type FitContext, fit } from './fit.ts';
import { jobHooks } from './job-hooks.ts';
import type { TrainingContext } from './ports.ts';
import { runPythonTrain } from './python/train.ts';
import { runSearch, type SearchResult } from './run-search.ts';
import { stepMetrics } from './step-metrics.ts';
import { type StoredPackage, storePackageDirectory } from './store-package.ts';
import { newRun, type TrainRequest, trainRequest, usingOf } from './train-request.ts';
import { inTrainingRun, runArtifact } from './training-run.ts';
import { type UserCode, UserProject } from './user-code.ts';
import { type LaidOutTransform, layOutBlob, layOutTransform, packageArtifact } from './workspace.ts';

/**
 * The step `train`. Inputs: the splits `train` and `validation`, the `transform`; by kind and optional
 * `dataset_version`. Outputs: `model` (a package) and `training_run`; a recipe in Python gives more (`runPythonTrain`).
 */
export const runTrainStep =
  (context: TrainingContext): StepHandler =>
  async (step) => {
    if (isPythonRecipe(step.command)) return runPythonTrain(context, step);
    const request = trainRequest(step.command);
    const begun = { experimentName: request.experimentName, run: newRun(context, request) };
    return inTrainingRun(context, step, begun, async (run, directory) => {
      const trained = await train(context, request, run, step, directory);
      await context.history.add(run.id, stepMetrics(trained.fit.steps, context.now()));
      return outcomeOf(request, run, trained);
    });
  };

interface Trained {
  readonly prepared: PrepareOutput;
  readonly search: SearchResult | undefined;
  readonly params: Readonly<Record<string, unknown>>;
  readonly fit: Fit;
  readonly stored: StoredPackage;
  readonly flavor: string;
}

const train = async (
  context: TrainingContext,
  request: TrainRequest,
  run: RunDocument,
  step: StepContext,
  directory: string,
): Promise<Trained> => {
  const { plan, task, recipe } = request;
  const hooks = jobHooks(step);
  step.progress(0.02, 'preparing the splits');
  const transform = await layOutTransform(
    context.blobs,
    step.input('transform').digest,
    join(directory, 'transform'),
  );
  const user = await layOutUserCode(context, request, join(directory, 'code'));
  const { prepared, path } = await prepare(context, request, transform, step, directory);
  const fits: FitContext = {
    jobs: context.jobs,
    workspace: directory,
    prepared: path,
    task,
    estimator: plan.estimator,
    customMetrics: recipe.customMetrics,
    ...user,
  };
  const search = await searchFor(context, request, run, fits, step);
  const params = paramsFor(plan, search?.best.params ?? {});
  step.progress(0.75, `fitting ${usingOf(plan.estimator)}`);
  const final = {
    params,
    seed: recipe.seed,
    sampleFraction: 1,
    directory: join(directory, 'final'),
    keepModel: true,
  };
  const fitted = await fit(fits, final, hooks);
  step.progress(0.92, 'packaging the model');
  const input = packageInput(context, prepared, transform, fitted, user.modelCode, directory);
  const laidOut = await context.jobs.run<PackageJobOutput>('package', input, hooks);
  const stored = await storePackageDirectory(context.blobs, input.output, laidOut);
  return {
    prepared,
    search,
    params,
    fit: fitted,
    stored,
    flavor: flavorOf(transform.definition, fitted.estimator),
  };
};

const layOutUserCode = async (
  context: TrainingContext,
  { command, plan, recipe }: TrainRequest,
  directory: string,
): Promise<{ code?: UserCode; function?: UserFunction; modelCode?: UserCode }> => {
  const { estimator } = plan;
  const customMetrics: readonly CustomMetricReference[] = recipe.customMetrics;
  if (estimator.kind === 'builtin' && customMetrics.length === 0) return {};
  const project = await UserProject.open(context, command.project?.manifestDigest ?? '');
  const wanted = estimator.kind === 'builtin' ? undefined : project.function('train', estimator.method);
  for (const metric of customMetrics) project.function('custom_metrics', metric.function);
  const entries = [
    ...(wanted === undefined ? [] : [wanted.file]),
    ...(customMetrics.length === 0 ? [] : [customMetricsFile]),
  ];
  const code = await project.layOut(entries, directory);
  if (wanted === undefined) return { code };
  // Metrics are no part of the model.
  return { code, function: wanted, modelCode: { directory, files: project.closure([wanted.file]) } };
};

const prepare = async (
  { blobs, jobs }: TrainingContext,
  request: TrainRequest,
  transform: LaidOutTransform,
  step: StepContext,
  directory: string,
): Promise<{ prepared: PrepareOutput; path: string }> => {
  const input: PrepareInput = {
    train: await layOutBlob(blobs, step.input('train').digest, join(directory, 'train.parquet')),
    validation: await layOutBlob(
      blobs,
      step.input('validation').digest,
      join(directory, 'validation.parquet'),
    ),
    targetColumn: request.targetColumn,
    task: estimatorTask(request.task),
    transform: transform.definition,
    output: join(directory, 'prepared.bin'),
  };
  const prepared = await jobs.run<PrepareOutput>('prepare', input, jobHooks(step));
  const { definition } = transform;
  if (definition.kind !== 'typescript') return { prepared, path: input.output };
  const code = join(transform.directory, 'code');
  const path = join(directory, 'transformed.bin');
  const apply: UserTransformInput = {
    kind: 'apply',
    prepared: input.output,
    code,
    function: definition.function,
    directory: join(transform.directory, 'transform'),
    stateFile: definition.stateFile,
    output: path,
  };
  await jobs.runUser('user-transform', apply, { workspace: directory, code }, jobHooks(step));
  return { prepared, path };
};

const searchFor = async (
  context: TrainingContext,
  { plan, objective, recipe }: TrainRequest,
  run: RunDocument,
  fits: FitContext,
  step: StepContext,
): Promise<SearchResult | undefined> => {
  const { tuning } = plan;
  if (tuning === undefined) return undefined;
  return runSearch(
    fits,
    context,
    {
      plan,
      tuning,
      objective,
      seed: recipe.seed,
      parent: run,
      maxParallel: context.maxParallelTrials,
      now: context.now,
      onTrial: ({ done, limit, best }) => {
        const found = best === undefined ? '' : `, best ${objective.metric} ${best.value.toPrecision(5)}`;
        step.progress(0.05 + (0.7 * done) / limit, `trial ${done} of ${limit}${found}`);
      },
    },
    jobHooks(step),
  );
};

const packageInput = (
  { environment }: TrainingContext,
  { signature, example }: PrepareOutput,
  { definition, directory: transformDirectory, codeFiles }: LaidOutTransform,
  { estimator, modelDirectory }: Fit,
  code: UserCode | undefined,
  directory: string,
): PackageJobInput => ({
  signature,
  transform: definition,
  estimator,
  modelDirectory,
  code: [
    { directory: join(transformDirectory, 'code'), files: codeFiles },
    ...(code === undefined ? [] : [code]),
  ],
  ...(definition.kind === 'typescript' ? { transformDirectory: join(transformDirectory, 'transform') } : {}),
  example,
  environment,
  output: join(directory, 'package'),
});

const outcomeOf = (
  { recipe, plan, objective, command }: TrainRequest,
  run: RunDocument,
  { prepared, search, params, fit: fitted, stored, flavor }: Trained,
) => {
  const metrics = {
    ...prefixed('training_', fitted.metrics.training),
    ...prefixed('val_', fitted.metrics.validation),
  };
  const using = usingOf(plan.estimator);
  const last = fitted.steps.at(-1);
  const model = packageArtifact('model', 'model', stored, {
    estimator: using,
    flavor,
    totalBytes: String(stored.totalBytes),
    runId: run.id,
  });
  const transform = command.inputs.filter(({ name }) => name === 'transform');
  const value = metrics[`val_${objective.metric}`];
  const artifacts: Artifact[] = [{ ...model, id: '' }, runArtifact(run), ...transform];
  return {
    params: { ...paramTexts(params), using, seed: String(recipe.seed) },
    metrics: {
      ...metrics,
      ...(last === undefined ? {} : { training_loss: last.trainingLoss }),
      ...(last?.validationLoss === undefined ? {} : { val_loss: last.validationLoss }),
    },
    artifacts,
    modelDigest: stored.digest,
    summary: {
      using,
      ...(value === undefined ? {} : { [`val_${objective.metric}`]: value }),
      primaryMetric: objective.metric,
      rows: prepared.trainRows,
      columns: prepared.columns,
      params,
      modelBytes: stored.totalBytes,
      ...(search === undefined
        ? {}
        : { trials: search.trials, failedTrials: search.failed, bestTrial: search.best.trial + 1 }),
    },
    warnings: search?.stoppedEarly === true ? [`the search ended early after ${search.trials} trials`] : [],
  };
};
