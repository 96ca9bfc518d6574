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
}

export interface RankPredictionsOutput {
  readonly training: SplitRanking;
  readonly validation: SplitRanking;
  /** The target beside its predictions, for each split; absent when it was not asked for. */
  readonly comparison?: Comparison;
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
  const parts = [
    { name: 'training', labels: train.labels, predicted: answersOf(predictions.training) },
    { name: 'validation', labels: validation.labels, predicted: answersOf(predictions.validation) },
  ];
  return {
    training: rank(input, train, predictions.training),
    validation: rank(input, validation, predictions.validation),
    ...(input.profile ? { comparison: await compare(input, parts) } : {}),
  };
};
export default main;

const answersOf = (prediction: Prediction): readonly (string | number)[] =>
  prediction.kind === 'regression' ? prediction.values : prediction.labels;

const rank = (
  { task, targetColumn }: RankPredictionsInput,
  { features, labels }: RawSplit,
  prediction: Prediction,
): SplitRanking => {
  const observations: Observations = observe(task, labels, prediction);
  const common = { predicted: answersOf(prediction), target: labels, targetColumn, features };
  return {
    worst: predictionRows({ ...common, ranked: worstPredictions(observations) }),
    best: predictionRows({ ...common, ranked: bestPredictions(observations) }),
  };
};

interface Part {
  readonly name: string;
  readonly labels: readonly LabelValue[];
  readonly predicted: readonly (string | number)[];
}

/** Writes each series as a file of one column, and has the engine compare them. */
const compare = async (
  { directory, targetColumn, task }: RankPredictionsInput,
  parts: readonly Part[],
): Promise<Comparison> => {
  const type = estimatorTask(task) === 'regression' ? 'number' : 'string';
  const place = await mkdtemp(join(directory, 'predictions-'));
  await using duck = await openDuckDb({ tempDir: place });
  const tables = [];
  for (const [index, { name, values }] of parts.flatMap(seriesOf).entries()) {
    const path = join(place, `${index}.parquet`);
    const column = {
      name: targetColumn,
      type,
      values: type === 'number' ? values.map(Number) : values.map(String),
    };
    await writeTable({ rowCount: values.length, columns: [column as Column] }, path);
    const { source } = await readableRelation(duck, path, `series_${index}`);
    tables.push({ name, source });
  }
  return await compareRelations(duck, tables, [{ name: targetColumn, type }]);
};

const seriesOf = ({ name, labels, predicted }: Part) => [
  { name: `${name}: actual`, values: labels },
  { name: `${name}: predicted`, values: predicted },
];
