import {
  type Coalition,
  type Importance,
  shapleyValues,
  type TaskDefinition,
  TaskType,
} from '@millrace/metrics';
import { type Prediction, takeRows } from '@millrace/modeling';
import { createRandom } from '@millrace/random';
import type { Column, Table } from '@millrace/tabular';
import type { MeasuredModel } from './measure.ts';
import type { Explanation } from './measurement.ts';

/** Rows that are explained, and rows that stand for what is unknown. */
const explainedRows = 80;
const backgroundRows = 80;
/** Orders of the features for each row: each stands against another background row. */
const orders = 8;
/** Features told apart, the most important ones; the others are one group. */
const mostFeatures = 12;

/**
 * How much each feature moves the output away from its mean, by sampled Shapley values on some test rows; `undefined` when
 * the model gives no number that could be moved.
 */
export const explain = async (
  task: TaskDefinition,
  model: MeasuredModel,
  features: Table,
  importance: readonly Importance[],
  seed: number,
): Promise<Explanation | undefined> => {
  const random = createRandom(seed).derive('explained rows');
  const order = random.shuffle(Array.from({ length: features.rowCount }, (_, row) => row));
  const rows = takeRows(features, order.slice(0, explainedRows));
  const backgrounds = takeRows(features, order.slice(-backgroundRows));
  const read = await readOutput(task, model, rows);
  if (read === undefined || importance.length === 0) return undefined;
  const named = importance.slice(0, mostFeatures).map(({ feature }) => feature);
  const grouped = named.length < importance.length;
  const values = await shapleyValues({
    players: named.length + (grouped ? 1 : 0),
    rows: rows.rowCount,
    backgrounds: backgrounds.rowCount,
    orders,
    seed,
    predict: async (coalitions) =>
      read.outputOf(await model.predict(mixedTable(rows, backgrounds, named, coalitions))),
  });
  const explained = named.map((feature, player) => {
    const column = rows.columns.find(({ name }) => name === feature);
    const shades = column === undefined ? [] : shadesOf(column);
    return describe(
      feature,
      values.map((row) => row[player] ?? 0),
      shades,
    );
  });
  const others = grouped
    ? [
        describe(
          'all other features',
          values.map((row) => row[named.length] ?? 0),
          [],
        ),
      ]
    : [];
  return {
    output: read.name,
    rowCount: rows.rowCount,
    features: [
      ...explained.toSorted((a, b) => b.meanAbsolute - a.meanAbsolute || (a.feature < b.feature ? -1 : 1)),
      ...others,
    ],
  };
};

interface Output {
  /** `probability of late`, for a reader. */
  readonly name: string;
  readonly outputOf: (prediction: Prediction) => readonly number[];
}

/** The number that is explained: the prediction, or the probability of the positive or else the most frequent class. */
const readOutput = async (
  task: TaskDefinition,
  model: MeasuredModel,
  rows: Table,
): Promise<Output | undefined> => {
  if (task.type === TaskType.regression) {
    return {
      name: 'the prediction',
      outputOf: (prediction) => (prediction.kind === 'regression' ? prediction.values : []),
    };
  }
  const sample = await model.predict(rows);
  if (sample.kind !== 'classification' || sample.probabilities === undefined) return undefined;
  const label = task.type === TaskType.binary ? String(task.positiveClass) : mostFrequent(sample.labels);
  const index = sample.classes.indexOf(label);
  if (index < 0) return undefined;
  return {
    name: `the probability of ${label}`,
    outputOf: (prediction) =>
      prediction.kind === 'classification'
        ? (prediction.probabilities ?? []).map((row) => row[index] ?? 0)
        : [],
  };
};

const mostFrequent = (labels: readonly string[]): string => {
  const counts = Map.groupBy(labels, (label) => label);
  return [...counts].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? '';
};

/** A row for each coalition: known features from the explained row, the others from the background. */
const mixedTable = (
  rows: Table,
  backgrounds: Table,
  named: readonly string[],
  coalitions: readonly Coalition[],
): Table => ({
  rowCount: coalitions.length,
  columns: rows.columns.map((column, index) => {
    const player = named.indexOf(column.name);
    const place = player < 0 ? named.length : player;
    const other = backgrounds.columns[index]?.values ?? [];
    const values = coalitions.map(({ row, background, known }) =>
      known[place] === true ? column.values[row] : other[background],
    );
    return { ...column, values } as Column;
  }),
});

const describe = (feature: string, values: readonly number[], shades: readonly (number | undefined)[]) => ({
  feature,
  meanAbsolute: values.reduce((sum, value) => sum + Math.abs(value), 0) / Math.max(1, values.length),
  points: values.map((value, row) => {
    const shade = shades[row];
    return shade === undefined ? { value } : { value, shade };
  }),
});

/** Where each value lies between the smallest and the largest but outliers, 0 … 1; nothing for text. */
const shadesOf = ({ type, values }: Column): readonly (number | undefined)[] => {
  if (type === 'string') return [];
  const numbers = values.map((value) => (value === null ? undefined : Number(value)));
  const sorted = numbers.filter((value) => value !== undefined).sort((a, b) => a - b);
  const low = sorted[Math.floor(sorted.length * 0.05)] ?? 0;
  const high = sorted[Math.ceil(sorted.length * 0.95) - 1] ?? low;
  return numbers.map((value) =>
    value === undefined
      ? undefined
      : high === low
        ? 0.5
        : Math.min(1, Math.max(0, (value - low) / (high - low))),
  );
};
