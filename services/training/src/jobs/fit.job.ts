import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import type { JobContext, JobMain } from '@millrace/jobs';
import type { TaskDefinition } from '@millrace/metrics';
import {
  type Estimator,
  estimatorNamed,
  type FitStep,
  type FittedModel,
  type Params,
  type Target,
} from '@millrace/modeling';
import { type PreparedData, type PreparedSplit, readPrepared } from './prepared-data.ts';
import { sampleTrain } from './sample.ts';
import { type FitMetrics, type FitPredictions, score } from './score.ts';

export interface FitJobInput {
  readonly prepared: string;
  readonly task: TaskDefinition;
  readonly estimator: string;
  readonly params: Params;
  readonly seed: number;
  /** Share of the training rows to fit on. */
  readonly sampleFraction: number;
  /** Where the model's files go; absent: they are not kept. */
  readonly modelDirectory?: string;
  /** Where the predictions go (`FitPredictions`, serialized); absent: they are not kept. */
  readonly predictions?: string;
  /** Whether the parent is asked after each step (`FitStep`) to go on (`continue`) or `stop`. */
  readonly asks: boolean;
}

export interface FitJobOutput {
  readonly metrics: FitMetrics;
  /** Losses by step of an iterative estimator. */
  readonly steps: readonly FitStep[];
}

/** Fits a built-in estimator and measures it. */
const main: JobMain<FitJobInput, FitJobOutput> = async (input, context) => {
  context.activity(`the fit of ${input.estimator}`);
  const data = sampleTrain(await readPrepared(input.prepared), input.sampleFraction, input.seed);
  const estimator = estimatorNamed(input.estimator, data.trainTarget.kind, 'steps.train.using');
  const steps: FitStep[] = [];
  const model = await context.span(`fit ${input.estimator}`, () =>
    fit(input, estimator, data, steps, context),
  );
  try {
    const predictions: FitPredictions = await context.span('predict', async () => ({
      training: model.predict(data.train.features),
      validation: model.predict(data.validation.features),
    }));
    const metrics = await context.span('compute metrics', async () => ({
      training: score(input.task, data.train, predictions.training),
      validation: score(input.task, data.validation, predictions.validation),
    }));
    if (input.predictions !== undefined) await writeFile(input.predictions, serialize(predictions));
    if (input.modelDirectory !== undefined) await writeModel(input.modelDirectory, model);
    return { metrics, steps };
  } finally {
    model.close();
  }
};
export default main;

const fit = (
  input: FitJobInput,
  estimator: Estimator,
  data: PreparedData,
  steps: FitStep[],
  context: JobContext,
): Promise<FittedModel> => {
  const validationTarget = targetOf(data.validation, data.trainTarget);
  return estimator.fit({
    features: data.train.features,
    target: data.trainTarget,
    params: input.params,
    seed: input.seed,
    ...(validationTarget === undefined
      ? {}
      : { validation: { features: data.validation.features, target: validationTarget } }),
    onStep: async (step) => {
      steps.push(step);
      return input.asks && (await context.ask(step)) === 'stop' ? 'stop' : 'continue';
    },
  });
};

/** The validation target in the classes of training; nothing when it holds another class. */
const targetOf = ({ labels }: PreparedSplit, train: Target): Target | undefined => {
  if (train.kind === 'regression') return { kind: 'regression', values: labels.map(Number) };
  const indices = labels.map((label) => train.classes.indexOf(String(label)));
  return indices.includes(-1) ? undefined : { ...train, indices };
};

const writeModel = async (directory: string, model: FittedModel): Promise<void> => {
  await mkdir(directory, { recursive: true });
  for (const [name, bytes] of model.files) await writeFile(join(directory, name), bytes);
};
