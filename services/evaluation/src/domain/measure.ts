import { predictionRows } from '@millrace/cards';
import { Invalid, messageOf } from '@millrace/errors';
import {
  bestPredictions,
  bootstrapIntervals,
  findMetric,
  type Label,
  type Metrics,
  metricsOf,
  type Observations,
  observe,
  pairedBootstrap,
  permutationImportance,
  type RankedPrediction,
  type TaskDefinition,
  worstPredictions,
} from '@millrace/metrics';
import { columnOf, type Prediction, takeRows, withoutColumns } from '@millrace/modeling';
import { createRandom } from '@millrace/random';
import type { Table } from '@millrace/tabular';
import { explain } from './explain.ts';
import type {
  ChampionMeasurement,
  Measurement,
  MetricEstimate,
  SliceMeasurement,
  SplitMeasurement,
} from './measurement.ts';
import type { SliceDefinition } from './plan.ts';
import { plotsOf } from './plots.ts';
import { mostSlicesPerColumn, type ResolvedSlice, resolveSlices } from './slices.ts';

/** A model, as far as measuring needs it. */
export interface MeasuredModel {
  /** Features that it reads. */
  readonly features: readonly string[];
  predict(features: Table): Promise<Prediction>;
}

export interface MeasureOptions {
  readonly task: TaskDefinition;
  readonly targetColumn: string;
  readonly validation: Table;
  readonly test: Table;
  readonly model: MeasuredModel;
  readonly champion?: MeasuredModel;
  readonly slices: readonly SliceDefinition[];
  /** Built-in metric that importance is measured on. */
  readonly importanceMetric: string;
  readonly seed: number;
  readonly onProgress: (fraction: number, message: string) => void;
}

/** Rows with a label, taken apart. */
export interface LabelledRows {
  /** All columns, the target too, for slices. */
  readonly rows: Table;
  readonly features: Table;
  readonly target: readonly Label[];
  readonly dropped: number;
}

/** Predictions beside the targets, for metrics that the project computes. */
export interface ScoredRows {
  readonly target: readonly Label[];
  readonly prediction: Prediction;
}

export interface MeasureResult {
  readonly measurement: Measurement;
  readonly scored: {
    readonly validation: ScoredRows;
    readonly test: ScoredRows;
    readonly champion?: ScoredRows;
  };
}

/** Rows that importance is measured on at most; more would change little and take long. */
const importanceRows = 5_000;

/**
 * Measures a model on held-out rows. Deterministic for a seed.
 * @throws Invalid when rows, target, model and slices do not fit together.
 */
export const measure = async (options: MeasureOptions): Promise<MeasureResult> => {
  const { task, targetColumn, model, seed, onProgress } = options;
  const validation = labelledRows(options.validation, targetColumn, 'validation');
  const test = labelledRows(options.test, targetColumn, 'test');
  const slices = resolveSlices(options.slices, test.rows);
  onProgress(0.05, 'predicting');
  const validationScored = await score(model, validation);
  const testScored = await score(model, test);
  const observed = observationsOf(task, testScored);
  onProgress(0.2, 'measuring');
  const champion = await measureChampion(options, test, observed);
  const importance = await measureImportance(options, test, (fraction) =>
    onProgress(0.4 + 0.5 * fraction, 'measuring the importance of features'),
  );
  onProgress(0.92, 'explaining predictions');
  const explanation = await explain(task, model, test.features, importance.features, seed);
  const measurement: Measurement = {
    validation: measureSplit(observationsOf(task, validationScored), seed),
    test: measureSplit(observed, seed),
    slices: slices.map((slice) => measureSlice(task, slice, testScored, seed)),
    ...champion.found,
    plots: plotsOf(observed, seed),
    importance,
    ...(explanation === undefined ? {} : { explanation }),
    worst: shownRows(worstPredictions(observed), testScored, test, targetColumn),
    best: shownRows(bestPredictions(observed), testScored, test, targetColumn),
    warnings: warningsOf({ validation, test }, options.slices, slices),
  };
  return {
    measurement,
    scored: {
      validation: validationScored,
      test: testScored,
      ...(champion.scored === undefined ? {} : { champion: champion.scored }),
    },
  };
};

const shownRows = (
  ranked: readonly RankedPrediction[],
  { prediction, target }: ScoredRows,
  { features }: LabelledRows,
  targetColumn: string,
) =>
  predictionRows({
    ranked,
    predicted: prediction.kind === 'regression' ? prediction.values : prediction.labels,
    target,
    targetColumn,
    features,
  });

const labelledRows = (table: Table, targetColumn: string, split: string): LabelledRows => {
  const all = columnOf(table, targetColumn, 'target_column').values;
  const present = [...all.keys()].filter((row) => all[row] !== null);
  if (present.length === 0)
    throw Invalid.field(split, `no row of the ${split} split has a value in "${targetColumn}"`);
  const rows = present.length === table.rowCount ? table : takeRows(table, present);
  return {
    rows,
    features: withoutColumns(rows, [targetColumn]),
    target: columnOf(rows, targetColumn, 'target_column').values as readonly Label[],
    dropped: table.rowCount - present.length,
  };
};

const score = async (model: MeasuredModel, { features, target }: LabelledRows): Promise<ScoredRows> => ({
  target,
  prediction: await model.predict(features),
});

const observationsOf = (task: TaskDefinition, { target, prediction }: ScoredRows): Observations =>
  observe(task, target, prediction);

const estimatesOf = (observations: Observations, seed: number): readonly MetricEstimate[] => {
  const intervals = bootstrapIntervals(observations, { seed });
  return Object.entries(metricsOf(observations)).map(([name, value]) => {
    const interval = intervals[name];
    return interval === undefined ? { name, value } : { name, value, interval };
  });
};

const measureSplit = (observations: Observations, seed: number): SplitMeasurement => ({
  rowCount: observations.rowCount,
  metrics: estimatesOf(observations, seed),
});

const measureSlice = (
  task: TaskDefinition,
  { name, where, minSupport, rows }: ResolvedSlice,
  scored: ScoredRows,
  seed: number,
): SliceMeasurement => {
  const common = { name, where, minSupport, support: rows.length };
  if (rows.length < minSupport) return { ...common, metrics: [] };
  return { ...common, metrics: estimatesOf(observationsOf(task, scoredAt(scored, rows)), seed) };
};

const scoredAt = ({ target, prediction }: ScoredRows, rows: readonly number[]): ScoredRows => {
  const pick = <T>(values: ArrayLike<T>): T[] => rows.map((row) => values[row]!);
  return {
    target: pick(target),
    prediction:
      prediction.kind === 'regression'
        ? { ...prediction, values: pick(prediction.values) }
        : {
            ...prediction,
            labels: pick(prediction.labels),
            ...(prediction.probabilities === undefined
              ? {}
              : { probabilities: pick(prediction.probabilities) }),
          },
  };
};

interface ChampionResult {
  readonly found: { readonly champion?: ChampionMeasurement; readonly championProblem?: string };
  readonly scored?: ScoredRows;
}

/** An older champion may not fit today's columns or classes: a finding, not a failure of the evaluation. */
const measureChampion = async (
  { champion, task, seed }: MeasureOptions,
  test: LabelledRows,
  challenger: Observations,
): Promise<ChampionResult> => {
  if (champion === undefined) return { found: {} };
  try {
    const scored = await score(champion, test);
    const observed = observationsOf(task, scored);
    const differences = pairedBootstrap(challenger, observed, { seed });
    return { found: { champion: { metrics: metricsOf(observed), differences } }, scored };
  } catch (thrown) {
    return { found: { championProblem: messageOf(thrown) } };
  }
};

const measureImportance = async (
  { task, model, importanceMetric, seed }: MeasureOptions,
  test: LabelledRows,
  onProgress: (fraction: number) => void,
): Promise<Measurement['importance']> => {
  const random = createRandom(seed).derive('importance rows');
  const all = Array.from(test.target.keys());
  const rows = all.length <= importanceRows ? all : random.shuffle(all).slice(0, importanceRows);
  const features = takeRows(test.features, rows);
  const target = rows.map((row) => test.target[row]!);
  const scoreOf = async (table: Table): Promise<number> => {
    const metrics: Metrics = metricsOf(observe(task, target, await model.predict(table)));
    const value = metrics[importanceMetric];
    if (value === undefined)
      throw Invalid.field('primary_metric', `${importanceMetric} is not defined for the test rows`);
    return value;
  };
  if (rows.length < 2) return { metric: importanceMetric, rowCount: rows.length, features: [] };
  const importances = await permutationImportance({
    features: model.features,
    rowCount: rows.length,
    greaterIsBetter: findMetric(task.type, importanceMetric)?.greaterIsBetter ?? true,
    seed,
    score: (feature, order) =>
      scoreOf(
        feature === undefined || order === undefined ? features : shuffleColumn(features, feature, order),
      ),
    onFeature: (done, count) => onProgress(done / count),
  });
  return { metric: importanceMetric, rowCount: rows.length, features: importances };
};

const shuffleColumn = (table: Table, name: string, order: Uint32Array): Table => {
  const shuffled = takeRows({ ...table, columns: [columnOf(table, name, 'feature')] }, Array.from(order))
    .columns[0]!;
  return { ...table, columns: table.columns.map((column) => (column.name === name ? shuffled : column)) };
};

const warningsOf = (
  splits: Readonly<Record<'validation' | 'test', LabelledRows>>,
  definitions: readonly SliceDefinition[],
  slices: readonly ResolvedSlice[],
): readonly string[] => [
  ...Object.entries(splits)
    .filter(([, { dropped }]) => dropped > 0)
    .map(([split, { dropped }]) => `${dropped} rows of the ${split} split have no target and were left out`),
  ...definitions
    .filter((definition) => definition.kind === 'column')
    .filter(
      ({ column }) =>
        slices.filter(({ name }) => name.startsWith(`${column}=`)).length === mostSlicesPerColumn,
    )
    .map(({ column }) => `only the ${mostSlicesPerColumn} most frequent values of "${column}" are slices`),
];
