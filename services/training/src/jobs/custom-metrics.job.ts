import { readFile } from 'node:fs/promises';
import { deserialize } from 'node:v8';
import type { JobMain } from '@millrace/jobs';
import { type CustomMetricReference, computeCustomMetrics, customMetricsFile } from '@millrace/modeling';
import { readPrepared } from './prepared-data.ts';
import { sampleTrain } from './sample.ts';
import type { FitMetrics, FitPredictions } from './score.ts';

export interface CustomMetricsInput {
  readonly prepared: string;
  readonly predictions: string;
  readonly sampleFraction: number;
  readonly seed: number;
  /** Root of the user's code. */
  readonly code: string;
  readonly metrics: readonly CustomMetricReference[];
  readonly builtIn: FitMetrics;
}

/** Runs the project's own metric functions on both splits. */
const main: JobMain<CustomMetricsInput, FitMetrics> = async (input, context) => {
  context.activity(`the metrics of ${customMetricsFile}`);
  const data = sampleTrain(await readPrepared(input.prepared), input.sampleFraction, input.seed);
  const predictions = deserialize(await readFile(input.predictions)) as FitPredictions;
  const { code, metrics, builtIn } = input;
  return {
    training: await computeCustomMetrics(
      code,
      metrics,
      data.train.labels,
      predictions.training,
      builtIn.training,
    ),
    validation: await computeCustomMetrics(
      code,
      metrics,
      data.validation.labels,
      predictions.validation,
      builtIn.validation,
    ),
  };
};
export default main;
