import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskDefinition } from '@millrace/metrics';
import type {
  CustomMetricReference,
  FitStep,
  PackagedEstimator,
  Params,
  UserFunction,
} from '@millrace/modeling';
import type { ChosenEstimator } from '../domain/train-plan.ts';
import type { CustomMetricsInput } from '../jobs/custom-metrics.job.ts';
import type { FitJobInput, FitJobOutput } from '../jobs/fit.job.ts';
import type { MeasureInput } from '../jobs/measure.job.ts';
import type { FitMetrics } from '../jobs/score.ts';
import type { UserFitInput, UserFitOutput } from '../jobs/user-fit.job.ts';
import type { JobHooks, Jobs } from './ports.ts';
import type { UserCode } from './user-code.ts';

/** What all fits of a step have in common. */
export interface FitContext {
  readonly jobs: Jobs;
  /** The step's own directory. */
  readonly workspace: string;
  /** File of the prepared data. */
  readonly prepared: string;
  readonly task: TaskDefinition;
  readonly estimator: ChosenEstimator;
  /** Of a custom estimator. */
  readonly function?: UserFunction;
  readonly customMetrics: readonly CustomMetricReference[];
  /** User code of the estimator and of the metrics. */
  readonly code?: UserCode;
}

export interface FitRequest {
  readonly params: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly sampleFraction: number;
  /** Of this fit: model files and predictions go there. */
  readonly directory: string;
  readonly keepModel: boolean;
  /** Asked after each step of an iterative estimator. */
  readonly onStep?: (step: FitStep) => 'continue' | 'stop';
}

export interface Fit {
  readonly metrics: FitMetrics;
  readonly steps: readonly FitStep[];
  readonly estimator: PackagedEstimator;
  readonly modelDirectory: string;
  /** File of the predictions on both splits, where they were kept. */
  readonly predictions: string;
}

/** Fits once and measures, the recipe's own metrics included. */
export const fit = async (context: FitContext, request: FitRequest, hooks: JobHooks): Promise<Fit> => {
  await mkdir(request.directory, { recursive: true });
  const fitted =
    context.estimator.kind === 'builtin'
      ? await fitBuiltIn(context, context.estimator.estimator.name, request, hooks)
      : await fitUser(context, request, hooks);
  return { ...fitted, metrics: await withCustomMetrics(context, request, fitted.metrics, hooks) };
};

const predictionsOf = ({ directory }: FitRequest): string => join(directory, 'predictions.bin');
const modelDirectoryOf = ({ directory }: FitRequest): string => join(directory, 'model');

const fitBuiltIn = async (
  context: FitContext,
  name: string,
  request: FitRequest,
  hooks: JobHooks,
): Promise<Fit> => {
  const { onStep } = request;
  const params = request.params as Params;
  const input: FitJobInput = {
    prepared: context.prepared,
    task: context.task,
    estimator: name,
    params,
    seed: request.seed,
    sampleFraction: request.sampleFraction,
    asks: onStep !== undefined,
    ...(request.keepModel ? { modelDirectory: modelDirectoryOf(request) } : {}),
    ...(context.customMetrics.length > 0 || request.keepModel ? { predictions: predictionsOf(request) } : {}),
  };
  const output = await context.jobs.run<FitJobOutput>('fit', input, {
    ...hooks,
    ...(onStep === undefined ? {} : { onQuestion: (step) => onStep(step as FitStep) }),
  });
  return {
    ...output,
    estimator: { kind: 'builtin', name, params },
    modelDirectory: modelDirectoryOf(request),
    predictions: predictionsOf(request),
  };
};

const fitUser = async (context: FitContext, request: FitRequest, hooks: JobHooks): Promise<Fit> => {
  const { code, function: wanted } = context;
  if (code === undefined || wanted === undefined) throw new Error('a custom estimator needs its code');
  const input: UserFitInput = {
    prepared: context.prepared,
    code: code.directory,
    function: wanted,
    params: request.params,
    seed: request.seed,
    sampleFraction: request.sampleFraction,
    modelDirectory: modelDirectoryOf(request),
    predictions: predictionsOf(request),
  };
  const place = { workspace: context.workspace, code: code.directory };
  const { stateFile } = await context.jobs.runUser<UserFitOutput>('user-fit', input, place, hooks);
  const measure: MeasureInput = {
    prepared: context.prepared,
    task: context.task,
    sampleFraction: request.sampleFraction,
    seed: request.seed,
    predictions: predictionsOf(request),
  };
  return {
    metrics: await context.jobs.run<FitMetrics>('measure', measure, hooks),
    steps: [],
    estimator: { kind: 'typescript', function: wanted, stateFile, params: request.params },
    modelDirectory: modelDirectoryOf(request),
    predictions: predictionsOf(request),
  };
};

const withCustomMetrics = async (
  { jobs, workspace, prepared, customMetrics, code }: FitContext,
  request: FitRequest,
  builtIn: FitMetrics,
  hooks: JobHooks,
): Promise<FitMetrics> => {
  if (customMetrics.length === 0 || code === undefined) return builtIn;
  const input: CustomMetricsInput = {
    prepared,
    predictions: predictionsOf(request),
    sampleFraction: request.sampleFraction,
    seed: request.seed,
    code: code.directory,
    metrics: customMetrics,
    builtIn,
  };
  const place = { workspace, code: code.directory };
  const own = await jobs.runUser<FitMetrics>('custom-metrics', input, place, hooks);
  return {
    training: { ...builtIn.training, ...own.training },
    validation: { ...builtIn.validation, ...own.validation },
  };
};
