import { FailedPrecondition } from '@millrace/errors';
import type { Table } from '@millrace/tabular';
import { classification, type Prediction } from '../prediction.ts';
import { mean, standardDeviation } from '../statistics.ts';
import { numericRows } from '../table-access.ts';
import type { Estimator, FitInput, FittedModel, Model } from './estimator.ts';
import { type Files, jsonFile, readJsonFile } from './files.ts';
import { minimise, type Objective } from './lbfgs.ts';
import { inOrder } from './linear-features.ts';
import { numberParam } from './parameters.ts';

/** With two classes one row of coefficients (for the second class), else one row per class. */
interface LogisticState {
  readonly columns: readonly string[];
  readonly classes: readonly string[];
  readonly coefficients: readonly (readonly number[])[];
  readonly intercepts: readonly number[];
}

const file = 'logistic.json';

/**
 * Logistic regression with an L2 penalty: minimises C·Σ log-loss + ½·|w|², intercepts unpenalised; binary by
 * the sigmoid, more classes by softmax. By L-BFGS. Equal to scikit-learn's `LogisticRegression`.
 */
export const logistic: Estimator = {
  name: 'linear/logistic',
  flavor: 'millrace_linear',
  tasks: ['classification'],
  takesText: false,
  parameters: {
    C: { type: 'number', default: 1, above: 0, description: 'Inverse strength of the penalty.' },
    max_iter: { type: 'integer', default: 1000, min: 1, description: 'Most iterations of the solver.' },
    tol: { type: 'number', default: 1e-6, above: 0, description: 'Largest gradient (per row) at the end.' },
  },
  fit: async (input) => fitted(solve(input)),
  load: async (files: Files) => modelOf(readJsonFile<LogisticState>(files, file)),
};

const fitted = (state: LogisticState): FittedModel => ({
  ...modelOf(state),
  files: new Map([[file, jsonFile(state)]]),
});

const modelOf = (state: LogisticState): Model => ({
  predict: (features) => predict(state, features),
  close: () => {},
});

const predict = (state: LogisticState, features: Table): Prediction => {
  const rows = numericRows(inOrder(features, state.columns), logistic.name);
  const probabilities = rows.map((row) => {
    const scores = state.coefficients.map((weights, output) =>
      weights.reduce((sum, weight, index) => sum + weight * (row[index] ?? 0), state.intercepts[output] ?? 0),
    );
    return scores.length === 1 ? softmax([0, scores[0] ?? 0]) : softmax(scores);
  });
  return classification(state.classes, probabilities);
};

const softmax = (scores: readonly number[]): number[] => {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
};

const solve = ({ features, target, params }: FitInput): LogisticState => {
  if (target.kind !== 'classification') throw new Error('logistic regression was given numbers');
  const columns = features.columns.map(({ name }) => name);
  const rows = numericRows(features, logistic.name);
  const outputs = target.classes.length === 2 ? 1 : target.classes.length;
  // The solver works on centred, scaled columns (with the penalty in the original units), or a column like a
  // year would make it crawl; the result is turned back below.
  const scales = columns.map((_name, index) => scaleOf(rows.map((row) => row[index] ?? 0)));
  const scaled = rows.map((row) =>
    row.map((value, index) => (value - (scales[index]?.center ?? 0)) / (scales[index]?.scale ?? 1)),
  );
  const problem: Problem = {
    rows: scaled,
    indices: target.indices,
    outputs,
    penalty: scales.map(({ scale }) => 1 / (numberParam(params, 'C') * rows.length * scale * scale)),
  };
  const minimum = minimise(objectiveOf(problem), new Float64Array(outputs * (columns.length + 1)), {
    tolerance: numberParam(params, 'tol'),
    maxIterations: numberParam(params, 'max_iter'),
  });
  if (!minimum.converged) {
    throw new FailedPrecondition(`${logistic.name} did not converge in ${minimum.iterations} iterations`, {
      hint: 'Scale the features, raise max_iter, or lower C.',
    });
  }
  return unscaled(columns, target.classes, outputs, minimum.point, scales);
};

interface Scale {
  readonly center: number;
  readonly scale: number;
}

const scaleOf = (values: readonly number[]): Scale => ({
  center: mean(values),
  scale: standardDeviation(values) || 1,
});

interface Problem {
  readonly rows: readonly Float64Array[];
  readonly indices: readonly number[];
  readonly outputs: number;
  /** Of each column's squared weight, per row. */
  readonly penalty: readonly number[];
}

/** Mean log-loss plus penalty. A point holds, per output, the weights and then the intercept. */
const objectiveOf = (problem: Problem): Objective => {
  const { rows, indices, outputs, penalty } = problem;
  const width = penalty.length + 1;
  return (point) => {
    const gradient = new Float64Array(point.length);
    const scores = new Float64Array(outputs);
    let loss = 0;
    rows.forEach((row, index) => {
      for (let output = 0; output < outputs; output += 1) scores[output] = score(point, output * width, row);
      loss +=
        outputs === 1
          ? toSigmoidResidual(scores, indices[index] ?? 0)
          : toSoftmaxResiduals(scores, indices[index] ?? 0);
      for (let output = 0; output < outputs; output += 1)
        accumulate(gradient, output * width, row, scores[output] ?? 0);
    });
    let value = loss / rows.length;
    for (let at = 0; at < point.length; at += 1) {
      const weight = at % width === penalty.length ? 0 : (penalty[at % width] ?? 0);
      value += 0.5 * weight * (point[at] ?? 0) ** 2;
      gradient[at] = (gradient[at] ?? 0) / rows.length + weight * (point[at] ?? 0);
    }
    return { value, gradient };
  };
};

const score = (point: Float64Array, offset: number, row: Float64Array): number => {
  let sum = point[offset + row.length] ?? 0;
  for (let index = 0; index < row.length; index += 1) sum += (point[offset + index] ?? 0) * (row[index] ?? 0);
  return sum;
};

const accumulate = (gradient: Float64Array, offset: number, row: Float64Array, residual: number): void => {
  for (let index = 0; index < row.length; index += 1) {
    gradient[offset + index] = (gradient[offset + index] ?? 0) + residual * (row[index] ?? 0);
  }
  gradient[offset + row.length] = (gradient[offset + row.length] ?? 0) + residual;
};

/** Turns the score into probability minus truth, in place; returns the row's log-loss. */
const toSigmoidResidual = (scores: Float64Array, truth: number): number => {
  const value = scores[0] ?? 0;
  scores[0] = 1 / (1 + Math.exp(-value)) - truth;
  return Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value))) - truth * value;
};

/** Turns the scores into probabilities minus truth, in place; returns the row's log-loss. */
const toSoftmaxResiduals = (scores: Float64Array, truth: number): number => {
  const own = scores[truth] ?? 0;
  const most = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (let index = 0; index < scores.length; index += 1) {
    scores[index] = Math.exp((scores[index] ?? 0) - most);
    sum += scores[index] ?? 0;
  }
  for (let index = 0; index < scores.length; index += 1)
    scores[index] = (scores[index] ?? 0) / sum - (index === truth ? 1 : 0);
  return most + Math.log(sum) - own;
};

const unscaled = (
  columns: readonly string[],
  classes: readonly string[],
  outputs: number,
  point: Float64Array,
  scales: readonly Scale[],
): LogisticState => {
  const width = columns.length + 1;
  const coefficients = Array.from({ length: outputs }, (_, output) =>
    scales.map(({ scale }, index) => (point[output * width + index] ?? 0) / scale),
  );
  const intercepts = coefficients.map((weights, output) =>
    weights.reduce(
      (sum, weight, index) => sum - weight * (scales[index]?.center ?? 0),
      point[output * width + columns.length] ?? 0,
    ),
  );
  return { columns, classes, coefficients, intercepts };
};
