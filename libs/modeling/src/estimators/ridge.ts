import type { Table } from '@millrace/tabular';
import { CholeskyDecomposition, Matrix, SingularValueDecomposition } from 'ml-matrix';
import type { Prediction } from '../prediction.ts';
import { mean } from '../statistics.ts';
import { numericRows } from '../table-access.ts';
import type { Estimator, FitInput, FittedModel, Model } from './estimator.ts';
import { type Files, jsonFile, readJsonFile } from './files.ts';
import { inOrder } from './linear-features.ts';
import { numberParam } from './parameters.ts';

interface RidgeState {
  readonly columns: readonly string[];
  readonly coefficients: readonly number[];
  readonly intercept: number;
}

const file = 'ridge.json';

/**
 * Linear least squares with an L2 penalty: minimises |y − Xw − b|² + alpha·|w|², the intercept unpenalised.
 * Solved by Cholesky's decomposition of XᵀX + alpha·I on centred data (Hoerl and Kennard, 1970), or by
 * singular values where that is not positive definite. Equal to scikit-learn's `Ridge`.
 */
export const ridge: Estimator = {
  name: 'linear/ridge',
  flavor: 'millrace_linear',
  tasks: ['regression'],
  takesText: false,
  parameters: {
    alpha: {
      type: 'number',
      default: 1,
      min: 0,
      description: 'Strength of the penalty; 0 is plain least squares.',
    },
    fit_intercept: { type: 'boolean', default: true, description: 'Whether the line may miss the origin.' },
  },
  fit: async (input) => fitted(solve(input)),
  load: async (files: Files) => modelOf(readJsonFile<RidgeState>(files, file)),
};

const fitted = (state: RidgeState): FittedModel => ({
  ...modelOf(state),
  files: new Map([[file, jsonFile(state)]]),
});

const modelOf = (state: RidgeState): Model => ({
  predict: (features) => predict(state, features),
  close: () => {},
});

const predict = (state: RidgeState, features: Table): Prediction => ({
  kind: 'regression',
  values: numericRows(inOrder(features, state.columns), ridge.name).map((row) =>
    row.reduce((sum, value, index) => sum + value * (state.coefficients[index] ?? 0), state.intercept),
  ),
});

const solve = ({ features, target, params }: FitInput): RidgeState => {
  if (target.kind !== 'regression') throw new Error('ridge was given classes');
  const columns = features.columns.map(({ name }) => name);
  const rows = numericRows(features, ridge.name);
  const withIntercept = params.fit_intercept === true;
  const centers = columns.map((_name, index) =>
    withIntercept ? mean(rows.map((row) => row[index] ?? 0)) : 0,
  );
  const center = withIntercept ? mean(target.values) : 0;
  const gram = Matrix.zeros(columns.length, columns.length);
  const moments = Matrix.zeros(columns.length, 1);
  rows.forEach((row, index) => {
    addRow(gram, moments, row, centers, (target.values[index] ?? 0) - center);
  });
  const coefficients = solvePenalised(gram, moments, numberParam(params, 'alpha'));
  const shift = coefficients.reduce((sum, value, index) => sum + value * (centers[index] ?? 0), 0);
  return { columns, coefficients, intercept: center - shift };
};

/** Adds a centred row to XᵀX (upper triangle) and Xᵀy. */
const addRow = (
  gram: Matrix,
  moments: Matrix,
  row: Float64Array,
  centers: readonly number[],
  y: number,
): void => {
  const centred = row.map((value, index) => value - (centers[index] ?? 0));
  for (let i = 0; i < centred.length; i += 1) {
    const left = centred[i] ?? 0;
    if (left === 0) continue;
    moments.set(i, 0, moments.get(i, 0) + left * y);
    for (let j = i; j < centred.length; j += 1) gram.set(i, j, gram.get(i, j) + left * (centred[j] ?? 0));
  }
};

const solvePenalised = (gram: Matrix, moments: Matrix, alpha: number): number[] => {
  for (let i = 0; i < gram.rows; i += 1) {
    gram.set(i, i, gram.get(i, i) + alpha);
    for (let j = 0; j < i; j += 1) gram.set(i, j, gram.get(j, i));
  }
  const cholesky = new CholeskyDecomposition(gram);
  const solution = cholesky.isPositiveDefinite()
    ? cholesky.solve(moments)
    : new SingularValueDecomposition(gram, { autoTranspose: true }).solve(moments);
  return solution.to1DArray();
};
