import { createRandom, type Random } from '@millrace/random';
import type { Table } from '@millrace/tabular';
import { classification, type Prediction } from '../../prediction.ts';
import { numericColumns } from '../../table-access.ts';
import type { Estimator, FitInput, FittedModel, Model, Target } from '../estimator.ts';
import { type Files, jsonFile, readJsonFile } from '../files.ts';
import { inOrder } from '../linear-features.ts';
import { numberParam, type Params } from '../parameters.ts';
import { type BinnedData, binColumns } from './binning.ts';
import { type GrowOptions, growTree } from './grow-tree.ts';
import { type Loss, lossFor, probabilitiesAt } from './losses.ts';
import { type Tree, treeValue } from './tree.ts';

interface BoostedTrees {
  readonly columns: readonly string[];
  /** Empty for regression. */
  readonly classes: readonly string[];
  readonly baseline: readonly number[];
  /** `rounds[round][output]` */
  readonly rounds: readonly (readonly Tree[])[];
}

const file = 'trees.json';

/**
 * Gradient-boosted trees on binned features with Newton steps, grown best leaf first. G. Ke et al.: LightGBM,
 * NeurIPS 2017; missing values as in T. Chen, C. Guestrin: XGBoost, KDD 2016, section 3.4. Without `subsample`,
 * `colsample` and early stopping equal to scikit-learn's `HistGradientBoosting…`.
 */
export const gradientBoosting: Estimator = {
  name: 'trees/gradient_boosting',
  flavor: 'millrace_trees',
  tasks: ['regression', 'classification'],
  takesText: false,
  parameters: {
    max_iter: { type: 'integer', default: 100, min: 1, max: 10_000, description: 'Rounds of boosting.' },
    learning_rate: {
      type: 'number',
      default: 0.1,
      above: 0,
      description: 'Share of each step that is taken.',
    },
    max_leaf_nodes: { type: 'integer', default: 31, min: 2, max: 10_000, description: 'Leaves of a tree.' },
    max_depth: { type: 'integer', default: 0, min: 0, description: 'Divisions above a leaf; 0 is no limit.' },
    min_samples_leaf: { type: 'integer', default: 20, min: 1, description: 'Rows of a leaf at least.' },
    l2_regularization: { type: 'number', default: 0, min: 0, description: 'Penalty on leaf values.' },
    max_bins: { type: 'integer', default: 255, min: 2, max: 255, description: 'Bins of a column.' },
    subsample: {
      type: 'number',
      default: 1,
      above: 0,
      max: 1,
      description: 'Share of the rows for each round.',
    },
    colsample: {
      type: 'number',
      default: 1,
      above: 0,
      max: 1,
      description: 'Share of the columns for each tree.',
    },
    early_stopping_rounds: {
      type: 'integer',
      default: 0,
      min: 0,
      description: 'Rounds without a better validation loss before it ends; 0 never ends early.',
    },
  },
  fit: async (input) => {
    const state = await boost(input);
    return { ...modelOf(state), files: new Map([[file, jsonFile(state)]]) } satisfies FittedModel;
  },
  load: async (files: Files) => modelOf(readJsonFile<BoostedTrees>(files, file)),
};

const modelOf = (state: BoostedTrees): Model => ({
  predict: (features) => predict(state, features),
  close: () => {},
});

const predict = (state: BoostedTrees, features: Table): Prediction => {
  const columns = numericColumns(inOrder(features, state.columns), gradientBoosting.name);
  const scores = state.baseline.map((value) => new Float64Array(features.rowCount).fill(value));
  for (const trees of state.rounds) addTrees(scores, trees, columns);
  if (state.classes.length === 0) return { kind: 'regression', values: Array.from(scores[0] ?? []) };
  const rows = Array.from({ length: features.rowCount }, (_, row) => probabilitiesAt(scores, row));
  return classification(state.classes, rows);
};

const addTrees = (
  scores: readonly Float64Array[],
  trees: readonly Tree[],
  columns: readonly Float64Array[],
): void => {
  trees.forEach((tree, output) => {
    const score = scores[output] as Float64Array;
    for (let row = 0; row < score.length; row += 1)
      score[row] = (score[row] ?? 0) + treeValue(tree, columns, row);
  });
};

const growOptions = (params: Params): GrowOptions => ({
  maxLeafNodes: numberParam(params, 'max_leaf_nodes'),
  maxDepth: numberParam(params, 'max_depth'),
  minSamplesLeaf: numberParam(params, 'min_samples_leaf'),
  l2: numberParam(params, 'l2_regularization'),
  learningRate: numberParam(params, 'learning_rate'),
});

interface Training {
  readonly data: BinnedData;
  readonly columns: readonly Float64Array[];
}

interface Watched {
  readonly columns: readonly Float64Array[];
  readonly target: Target;
  readonly scores: readonly Float64Array[];
}

const boost = async (input: FitInput): Promise<BoostedTrees> => {
  const { features, target, params, validation } = input;
  const names = features.columns.map(({ name }) => name);
  const columns = numericColumns(features, gradientBoosting.name);
  const data = binColumns(columns, numberParam(params, 'max_bins'));
  const loss = lossFor(target);
  const scoresOver = (rows: number) => loss.baseline.map((value) => new Float64Array(rows).fill(value));
  const scores = scoresOver(features.rowCount);
  const watched: Watched | undefined =
    validation === undefined
      ? undefined
      : {
          columns: numericColumns(inOrder(validation.features, names), gradientBoosting.name),
          target: validation.target,
          scores: scoresOver(validation.features.rowCount),
        };
  const rounds = await boostRounds(input, loss, { data, columns }, scores, watched);
  const classes = target.kind === 'classification' ? target.classes : [];
  return { columns: names, classes, baseline: loss.baseline, rounds };
};

const boostRounds = async (
  { target, params, seed, onStep }: FitInput,
  loss: Loss,
  training: Training,
  scores: readonly Float64Array[],
  watched: Watched | undefined,
): Promise<Tree[][]> => {
  const random = createRandom(seed).derive('boosting');
  const steps = numberParam(params, 'max_iter');
  const patience = numberParam(params, 'early_stopping_rounds');
  const rounds: Tree[][] = [];
  const best = { loss: Number.POSITIVE_INFINITY, rounds: 0 };
  for (let step = 1; step <= steps; step += 1) {
    rounds.push(boostOnce(loss, target, training, scores, params, random));
    const trainingLoss = loss.value(scores, target);
    const validationLoss = watched === undefined ? undefined : validate(loss, watched, rounds.at(-1) ?? []);
    const answer = await onStep?.({
      step,
      steps,
      trainingLoss,
      ...(validationLoss === undefined ? {} : { validationLoss }),
    });
    if (validationLoss !== undefined && validationLoss < best.loss)
      Object.assign(best, { loss: validationLoss, rounds: step });
    if (answer === 'stop') return rounds;
    if (patience > 0 && validationLoss !== undefined && step - best.rounds >= patience)
      return rounds.slice(0, best.rounds);
  }
  return patience > 0 && watched !== undefined ? rounds.slice(0, best.rounds) : rounds;
};

const validate = (loss: Loss, { columns, target, scores }: Watched, trees: readonly Tree[]): number => {
  addTrees(scores, trees, columns);
  return loss.value(scores, target);
};

/** One tree per output, all on the derivatives at the round's start. */
const boostOnce = (
  loss: Loss,
  target: Target,
  { data, columns }: Training,
  scores: readonly Float64Array[],
  params: Params,
  random: Random,
): Tree[] => {
  const gradients = scores.map((score) => new Float32Array(score.length));
  const hessians = scores.map((score) => new Float32Array(score.length));
  loss.derivatives(scores, target, gradients, hessians);
  const rows = sample(data.rowCount, numberParam(params, 'subsample'), random);
  const grown = scores.map((_score, output) => {
    const chosen = sample(data.bins.length, numberParam(params, 'colsample'), random);
    return growTree(
      data,
      rows,
      Array.from(chosen),
      gradients[output] as Float32Array,
      hessians[output] as Float32Array,
      growOptions(params),
    );
  });
  grown.forEach(({ tree, leaves }, output) => {
    const score = scores[output] as Float64Array;
    if (rows.length < data.rowCount) addTrees([score], [tree], columns);
    else for (const leaf of leaves) for (const row of leaf.rows) score[row] = (score[row] ?? 0) + leaf.value;
  });
  return grown.map(({ tree }) => tree);
};

/** A seeded choice of `share` of the indices below `count`, at least one, ascending. */
const sample = (count: number, share: number, random: Random): Uint32Array => {
  if (share >= 1) return Uint32Array.from({ length: count }, (_, index) => index);
  return random
    .permutation(count)
    .slice(0, Math.max(1, Math.round(count * share)))
    .sort();
};
