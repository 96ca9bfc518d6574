import { asMillraceError, Invalid } from '@millrace/errors';
import { createRandom } from '@millrace/random';
import type { Column, Table } from '@millrace/tabular';
import JSZip from 'jszip';
import { classification, type Prediction } from '../prediction.ts';
import { type Cell, columnOf, takeRows } from '../table-access.ts';
import type { Estimator, FitInput, FittedModel, Model, Target } from './estimator.ts';
import { type Files, jsonFile, readJsonFile } from './files.ts';
import { canonicalFile } from './ydf-canonical.ts';
import { type YdfModel, type YdfTraining, ydfInference, ydfTraining } from './ydf-module.ts';

/** What YDF's own files do not say; kept beside them. */
interface YdfIndex {
  readonly task: 'regression' | 'classification';
  readonly classes: readonly string[];
  readonly columns: readonly { readonly name: string; readonly text: boolean }[];
}

const labelColumn = '__target';
const indexFile = 'index.json';

/**
 * Yggdrasil Decision Forests (https://ydf.readthedocs.io) in WebAssembly. The published build takes no
 * hyper-parameters: it trains with YDF's defaults (300 trees; boosting stops early on a tenth of the rows that
 * it holds out itself). Its random seed is fixed; our seed orders the rows, which decides what is held out.
 */
const ydfEstimator = (
  name: string,
  learner: 'GradientBoostedTreesLearner' | 'RandomForestLearner',
): Estimator => ({
  name,
  flavor: 'millrace_ydf',
  tasks: ['regression', 'classification'],
  takesText: true,
  parameters: {},
  fit: (input) => fit(learner, input),
  load: (files) => load(files),
});

export const ydfGradientBoostedTrees = ydfEstimator(
  'ydf/gradient_boosted_trees',
  'GradientBoostedTreesLearner',
);
export const ydfRandomForest = ydfEstimator('ydf/random_forest', 'RandomForestLearner');

const fit = async (
  learner: 'GradientBoostedTreesLearner' | 'RandomForestLearner',
  { features, target, seed }: FitInput,
): Promise<FittedModel> => {
  const order = Array.from(createRandom(seed).derive('ydf').permutation(features.rowCount));
  const shuffled = takeRows(features, order);
  const ydf = await ydfTraining();
  const data = Object.fromEntries(
    shuffled.columns.map((column, index) => [featureName(index), trainingValues(column)]),
  );
  data[labelColumn] = labels(target, order);
  const task = target.kind === 'regression' ? 'REGRESSION' : 'CLASSIFICATION';
  const trained = train(() => new ydf[learner](labelColumn, task).train(data));
  const index: YdfIndex = {
    task: target.kind,
    classes: target.kind === 'classification' ? target.classes : [],
    columns: features.columns.map(({ name, type }) => ({ name, text: type === 'string' })),
  };
  const files = new Map([...savedFiles(ydf, trained), [indexFile, jsonFile(index)] as const]);
  return { ...modelOf(trained, index), files };
};

const train = (run: () => YdfModel): YdfModel => {
  try {
    return run();
  } catch (error) {
    throw new Invalid(`YDF cannot train on this data: ${asMillraceError(error).message}`, { cause: error });
  }
};

/** Positions instead of names: YDF gives some characters in names a meaning. */
const featureName = (index: number): string => `f${index}`;

const trainingValues = (column: Column): (number | string)[] =>
  column.type === 'string'
    ? // The empty text is YDF's missing value, so real texts get a mark in front.
      column.values.map((value) => (value === null ? '' : `=${value}`))
    : (column.values as readonly (number | boolean | null)[]).map((value) =>
        value === null ? Number.NaN : Number(value),
      );

const labels = (target: Target, order: readonly number[]): (number | string)[] =>
  target.kind === 'regression'
    ? order.map((row) => target.values[row] ?? Number.NaN)
    : order.map((row) => String(target.indices[row]));

const savedFiles = ({ FS }: YdfTraining, model: YdfModel): [string, Uint8Array][] => {
  const directory = '/saved_model';
  model.internalModel.save(directory);
  const names = FS.readdir(directory).filter((name) => name !== '.' && name !== '..');
  const files = names.sort().map((name): [string, Uint8Array] => {
    const bytes = FS.readFile(`${directory}/${name}`);
    FS.unlink(`${directory}/${name}`);
    return [name, canonicalFile(name, bytes)];
  });
  FS.rmdir(directory);
  return files;
};

const load = async (files: Files): Promise<Model> => {
  const index = readJsonFile<YdfIndex>(files, indexFile);
  const zip = new JSZip();
  for (const [name, bytes] of files) if (name !== indexFile) zip.file(name, bytes);
  const archive = await zip.generateAsync({ type: 'uint8array', compression: 'STORE' });
  const ydf = await ydfInference();
  try {
    return modelOf(await ydf.loadModelFromZipBlob(archive), index);
  } catch (cause) {
    throw Invalid.field('model', 'YDF cannot read the model files', { cause });
  }
};

const modelOf = (model: YdfModel, index: YdfIndex): Model => {
  // YDF numbers the classes by frequency; ours are in ascending order.
  const ydfPosition = new Map(model.getLabelClasses().map((label, position) => [Number(label), position]));
  return {
    predict: (features) => predict(model, index, ydfPosition, features),
    close: () => model.unload(),
  };
};

const predict = (
  model: YdfModel,
  index: YdfIndex,
  ydfPosition: ReadonlyMap<number, number>,
  features: Table,
): Prediction => {
  const rows = features.rowCount;
  const output = rows === 0 ? [] : model.predict(examples(index, features));
  if (index.task === 'regression') return { kind: 'regression', values: output };
  const perRow = ydfPosition.size === 2 ? 1 : ydfPosition.size;
  const probabilities = Array.from({ length: rows }, (_, row) => {
    const raw = perRow === 1 ? binary(output[row] ?? 0) : output.slice(row * perRow, (row + 1) * perRow);
    const ordered = index.classes.map((_class, position) => raw[ydfPosition.get(position) ?? -1] ?? 0);
    return normalised(ordered);
  });
  return classification(index.classes, probabilities);
};

const binary = (second: number): number[] => [1 - second, second];

/** YDF computes in 32-bit floats: their sum misses 1 by about 1e-7. */
const normalised = (probabilities: readonly number[]): number[] => {
  const sum = probabilities.reduce((total, value) => total + value, 0);
  return probabilities.map((value) => value / sum);
};

const examples = (index: YdfIndex, features: Table): Record<string, (number | string | null)[]> =>
  Object.fromEntries(
    index.columns.map(({ name, text }, position) => {
      const column = columnOf(features, name, `features.${name}`);
      return [featureName(position), (column.values as readonly Cell[]).map((value) => example(value, text))];
    }),
  );

const example = (value: Cell, text: boolean): number | string | null => {
  if (value === null) return null;
  return text ? `=${value}` : Number(value);
};
