import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import type { JobMain } from '@millrace/jobs';
import {
  checkPrediction,
  columnArrays,
  decodeState,
  encodeState,
  functionName,
  loadUserEstimator,
  type Prediction,
  type StateFile,
  type UserFunction,
} from '@millrace/modeling';
import type { Table } from '@millrace/tabular';
import { readPrepared } from './prepared-data.ts';
import { sampleTrain } from './sample.ts';
import type { FitPredictions } from './score.ts';

export interface UserFitInput {
  readonly prepared: string;
  /** Root of the user's code. */
  readonly code: string;
  readonly function: UserFunction;
  readonly params: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly sampleFraction: number;
  /** Where the state goes. */
  readonly modelDirectory: string;
  /** Where the predictions go (`FitPredictions`, serialized). */
  readonly predictions: string;
}

export interface UserFitOutput {
  readonly stateFile: StateFile;
}

/** Fits a user's estimator and predicts both splits with the stored form of what it learnt. */
const main: JobMain<UserFitInput, UserFitOutput> = async (input, context) => {
  const owner = functionName(input.function);
  context.activity(`import of ${input.function.file}`);
  const estimator = await loadUserEstimator(input.code, input.function, input.params);
  const { train, trainTarget, validation } = sampleTrain(
    await readPrepared(input.prepared),
    input.sampleFraction,
    input.seed,
  );
  const task = trainTarget.kind;
  const classes = trainTarget.kind === 'classification' ? { classes: trainTarget.classes } : {};
  context.activity(`fit of ${owner}`);
  const fitted = await context.span(`fit ${owner}`, async () =>
    estimator.fit({
      features: columnArrays(train.features),
      target: [...train.labels],
      task,
      ...classes,
      params: input.params,
      seed: input.seed,
      log: (message) => console.log(message),
    }),
  );
  const { file, bytes } = encodeState(fitted, owner);
  await mkdir(input.modelDirectory, { recursive: true });
  await writeFile(join(input.modelDirectory, file), bytes);
  context.activity(`predict of ${owner}`);
  const predict = async (features: Table): Promise<Prediction> => {
    const state = decodeState(file, bytes);
    const output = await estimator.predict({ state, features: columnArrays(features), task, ...classes });
    return checkPrediction(output, { rows: features.rowCount, task, classes: classes.classes ?? [], owner });
  };
  const predictions: FitPredictions = {
    training: await predict(train.features),
    validation: await predict(validation.features),
  };
  await writeFile(input.predictions, serialize(predictions));
  return { stateFile: file };
};
export default main;
