import { join } from 'node:path';
import { environmentFacts } from '@millrace/cards';
import type { Artifact } from '@millrace/contracts/step';
import {
  type CustomMetricReference,
  customMetricsFile,
  flavorOf,
  type PackagedTransform,
  type UserFunction,
} from '@millrace/modeling';
import { isPythonRecipe, type StepContext, type StepHandler } from '@millrace/service-kit';
import { describeTransform } from '../card/describe-transform.ts';
import { type TrainFacts, trainCard } from '../card/train-card.ts';
import { curvesOf, leaderboardOf, shownSignature, trialsOf } from '../card/train-facts.ts';
import type { SearchFacts } from '../card/tuning-section.ts';
import { paramTexts, prefixed, type RunDocument } from '../domain/run.ts';
import { estimatorTask } from '../domain/task.ts';
import { paramsFor } from '../domain/train-plan.ts';
import type { PackageJobInput, PackageJobOutput } from '../jobs/package.job.ts';
import type { PrepareInput, PrepareOutput } from '../jobs/prepare.job.ts';
import type { RankPredictionsInput, RankPredictionsOutput } from '../jobs/rank-predictions.job.ts';
import type { UserTransformInput } from '../jobs/user-transform.job.ts';
import { type Fit, type FitContext, fit } from './fit.ts';
import { jobHooks } from './job-hooks.ts';
import type { RunOutcome, TrainingContext } from './ports.ts';
import { runPythonTrain } from './python/train.ts';
import { runSearch, type SearchResult } from './run-search.ts';
import { stepMetrics } from './step-metrics.ts';
import { type StoredPackage, storePackageDirectory } from './store-package.ts';
import { newRun, type TrainRequest, trainRequest, usingOf } from './train-request.ts';
import { inTrainingRun, runArtifact, withRunCard } from './training-run.ts';
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
      return withTrainCard(context, request, run, step, trained, directory);
    });
  };

/** What the run gains at its end, its card included. */
const withTrainCard = async (
  context: TrainingContext,
  request: TrainRequest,
  run: RunDocument,
  step: StepContext,
  trained: Trained,
  directory: string,
): Promise<RunOutcome> => {
  return withRunCard(step, context.blobs, outcomeOf(request, run, trained), async (made) => {
    step.progress(0.95, 'looking at the predictions');
    return trainCard(
      request.command,
      await trainFacts(context, request, run, step, trained, directory),
      made,
    );
  });
};

const trainFacts = async (
  context: TrainingContext,
  { command, recipe, plan, objective, task, targetColumn }: TrainRequest,
  run: RunDocument,
  step: StepContext,
  { prepared, search, params, fit: fitted, transform }: Trained,
  directory: string,
): Promise<TrainFacts> => {
  const metric = `val_${objective.metric}`;
  const input: RankPredictionsInput = {
    train: join(directory, 'train.parquet'),
    validation: join(directory, 'validation.parquet'),
    targetColumn,
    task,
    predictions: fitted.predictions,
    directory,
    profile: command.config?.skip_data_profiling !== true,
  };
  const ranked = await context.jobs.run<RankPredictionsOutput>('rank-predictions', input, jobHooks(step));
  return {
    runId: run.id,
    estimator: usingOf(plan.estimator),
    description: `Transformer\n${indented(describeTransform(transform))}\nEstimator\n${indented(usingOf(plan.estimator))}`,
    params,
    objective,
    customMetrics: recipe.customMetrics.map(({ name }) => name),
    metrics: fitted.metrics,
    rows: { training: prepared.trainRows, validation: prepared.validationRows },
    leaderboard: await leaderboardOf(context, run, metric, fitted.metrics.validation[objective.metric]),
    ...(search === undefined
      ? {}
      : { search: await searchFacts(context, command, plan, run, search, metric) }),
    curves: curvesOf(fitted.steps),
    ranked,
    signature: shownSignature(prepared.signature),
    environment: environmentFacts(context.environment),
  };
};

const indented = (text: string): string => text.replace(/^/gm, '  ');

const searchFacts = async (
  context: TrainingContext,
  { config }: TrainRequest['command'],
  { tuning }: TrainRequest['plan'],
  run: RunDocument,
  { best, stoppedEarly }: SearchResult,
  metric: string,
): Promise<SearchFacts> => {
  const space: Readonly<Record<string, unknown>> = config?.tuning?.parameters ?? {};
  return {
    algorithm: tuning?.algorithm ?? '',
    space,
    trials: await trialsOf(context, run.id, metric, Object.keys(space)),
    best: { number: best.trial + 1, params: best.params },
    stoppedEarly,
  };
};

interface Trained {
  readonly prepared: PrepareOutput;
  readonly transform: PackagedTransform;
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
    transform: transform.definition,
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
