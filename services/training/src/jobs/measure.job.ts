import { readFile } from 'node:fs/promises';
import { deserialize } from 'node:v8';
import type { JobMain } from '@millrace/jobs';
import type { TaskDefinition } from '@millrace/metrics';
import { readPrepared } from './prepared-data.ts';
import { sampleTrain } from './sample.ts';
import { type FitMetrics, type FitPredictions, score } from './score.ts';

export interface MeasureInput {
  readonly prepared: string;
  readonly task: TaskDefinition;
  /** As they were fitted: the training rows are the same sample. */
  readonly sampleFraction: number;
  readonly seed: number;
  readonly predictions: string;
}

/** Measures predictions that user code made. */
const main: JobMain<MeasureInput, FitMetrics> = async (input) => {
  const data = sampleTrain(await readPrepared(input.prepared), input.sampleFraction, input.seed);
  const predictions = deserialize(await readFile(input.predictions)) as FitPredictions;
  return {
    training: score(input.task, data.train, predictions.training),
    validation: score(input.task, data.validation, predictions.validation),
  };
};
export default main;
