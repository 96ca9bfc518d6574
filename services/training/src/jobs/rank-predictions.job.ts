import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize } from 'node:v8';
import { type PredictionRows, predictionRows } from '@millrace/cards';
import type { JobMain } from '@millrace/jobs';
import {
  bestPredictions,
  type Observations,
  observe,
  type TaskDefinition,
  worstPredictions,
} from '@millrace/metrics';
import type { Prediction } from '@millrace/modeling';
import {
  type Column,
  type Comparison,
  compareRelations,
  openDuckDb,
  readableRelation,
  writeTable,
} from '@millrace/tabular';
import { estimatorTask } from '../domain/task.ts';
import type { LabelValue } from './prepared-data.ts';
import type { FitPredictions } from './score.ts';
import { type RawSplit, readTrainSplit, readValidationSplit } from './splits.ts';

export interface RankPredictionsInput {
  /** Parquet files of the raw splits. */
  readonly train: string;
  readonly validation: string;
  readonly targetColumn: string;
  readonly task: TaskDefinition;
  /** Of both splits (`FitPredictions`), made on all their rows. */
  readonly predictions: string;
  /** Where to work. */
  readonly directory: string;
  /** Whether distributions are wanted. */
  readonly profile: boolean;
}

/** The rows of a split that the model did worst and best on. */
export interface SplitRanking {
  readonly worst: PredictionRows;
  readonly best: PredictionRows;
  /** The target beside its predictions; absent when it was not asked for. */
  readonly comparison?: Comparison;
}

export interface RankPredictionsOutput {
  readonly training: SplitRanking;
  readonly validation: SplitRanking;
}

/** Looks for the predictions worth looking at, and compares their distribution with the truth. */
const main: JobMain<RankPredictionsInput, RankPredictionsOutput> = async (input, context) => {
  context.activity('the ranking of predictions');
  const { task, targetColumn } = input;
  const [train, validation] = await Promise.all([
    readTrainSplit(input.train, targetColumn, estimatorTask(task)),
    readValidationSplit(input.validation, targetColumn),
  ]);
  const predictions = deserialize(await readFile(input.predictions)) as FitPredictions;
  return {
    training: await rank(input, train, predictions.training),
    validation: await rank(input, validation, predictions.validation),
  };
};
export default main;

const answersOf = (prediction: Prediction): readonly (string | number)[] =>
  prediction.kind === 'regression' ? prediction.values : prediction.labels;

const rank = async (
  input: RankPredictionsInput,
  { features, labels }: RawSplit,
  prediction: Prediction,
): Promise<SplitRanking> => {
  const { task, targetColumn, profile } = input;
  const observations: Observations = observe(task, labels, prediction);
  const predicted = answersOf(prediction);
  const common = { predicted, target: labels, targetColumn, features };
  return {
    worst: predictionRows({ ...common, ranked: worstPredictions(observations) }),
    best: predictionRows({ ...common, ranked: bestPredictions(observations) }),
    ...(profile ? { comparison: await compare(input, { actual: labels, predicted }) } : {}),
  };
};

/** Writes each series as a file of one column, and has the engine compare them. */
const compare = async (
  { directory, targetColumn, task }: RankPredictionsInput,
  series: Readonly<Record<string, readonly LabelValue[]>>,
): Promise<Comparison> => {
  const type = estimatorTask(task) === 'regression' ? 'number' : 'string';
  const place = await mkdtemp(join(directory, 'predictions-'));
  await using duck = await openDuckDb({ tempDir: place });
  const tables = [];
  for (const [name, values] of Object.entries(series)) {
    const path = join(place, `${name}.parquet`);
    const cells = type === 'number' ? values.map(Number) : values.map(String);
    const column = { name: targetColumn, type, values: cells } as Column;
    await writeTable({ rowCount: values.length, columns: [column] }, path);
    const { source } = await readableRelation(duck, path, name);
    tables.push({ name, source });
  }
  return await compareRelations(duck, tables, [{ name: targetColumn, type }]);
};
