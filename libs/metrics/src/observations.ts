import { Invalid } from '@millrace/errors';
import { TaskType } from './metric-table.ts';

/** A class label as it stands in data. Two labels are the same class when their texts are equal. */
export type Label = string | number | boolean;

/** What is asked of a model. */
export type TaskDefinition =
  | { readonly type: typeof TaskType.regression }
  | { readonly type: typeof TaskType.binary; readonly positiveClass: Label }
  | { readonly type: typeof TaskType.multiclass };

/** What a model answered for rows, in their order. The predictions of `@millrace/modeling` fit. */
export type Prediction =
  | { readonly kind: 'regression'; readonly values: ArrayLike<number> }
  | {
      readonly kind: 'classification';
      /** Every class that the model knows, as text, in the order of the probabilities. */
      readonly classes: readonly string[];
      readonly labels: ArrayLike<string>;
      /** `probabilities[row][class]`. */
      readonly probabilities?: ArrayLike<ArrayLike<number>>;
    };

export interface RegressionObservations {
  readonly type: typeof TaskType.regression;
  readonly rowCount: number;
  readonly target: Float64Array;
  readonly predicted: Float64Array;
  readonly weights?: Float64Array;
}

export interface ClassificationObservations {
  readonly type: typeof TaskType.binary | typeof TaskType.multiclass;
  readonly rowCount: number;
  readonly classes: readonly string[];
  /** Index of the positive class among `classes`; −1 for multiclass. */
  readonly positive: number;
  /** Index of each row's class. */
  readonly target: Int32Array;
  readonly predicted: Int32Array;
  /** Per class, the probability of each row. */
  readonly probabilities?: readonly Float64Array[];
  readonly weights?: Float64Array;
}

/** Targets and predictions of the same rows, checked and encoded once, ready for every metric. */
export type Observations = RegressionObservations | ClassificationObservations;

/**
 * Checks and encodes targets and predictions. With more than two classes, a class of the target that the
 * model never learned counts as one that it gives probability 0.
 * @throws Invalid naming the element: no rows, different lengths, a missing or non-finite number, a label
 * outside the classes, a probability outside 0 … 1, a negative weight.
 */
export const observe = (
  task: TaskDefinition,
  target: ArrayLike<Label | null>,
  prediction: Prediction,
  weights?: ArrayLike<number>,
): Observations => {
  const rowCount = target.length;
  if (rowCount === 0) throw Invalid.field('target', 'there are no rows to evaluate');
  const observations = encode(task, target, prediction);
  return weights === undefined ? observations : { ...observations, weights: checkWeights(weights, rowCount) };
};

const encode = (
  task: TaskDefinition,
  target: ArrayLike<Label | null>,
  prediction: Prediction,
): Observations => {
  if (task.type === TaskType.regression) {
    if (prediction.kind !== 'regression')
      throw Invalid.field('prediction', 'a regression needs numbers, not labels');
    expectLength('prediction', prediction.values.length, target.length);
    return {
      type: task.type,
      rowCount: target.length,
      target: finiteNumbers('target', target),
      predicted: finiteNumbers('prediction', prediction.values),
    };
  }
  if (prediction.kind !== 'classification') {
    throw Invalid.field('prediction', 'a classification needs labels, not numbers');
  }
  const { labels, probabilities } = prediction;
  expectLength('prediction', labels.length, target.length);
  const known = checkClasses(prediction.classes);
  const binary = task.type === TaskType.binary;
  const classes = binary ? known : withUnknown(known, target);
  const indexOf = new Map(classes.map((label, index) => [label, index]));
  return {
    type: task.type,
    rowCount: target.length,
    classes,
    positive: binary ? positiveIndex(classes, task.positiveClass) : -1,
    target: classIndexes('target', target, indexOf),
    predicted: classIndexes('prediction', labels, indexOf),
    ...(probabilities === undefined
      ? {}
      : { probabilities: byClass(probabilities, target.length, known.length, classes.length) }),
  };
};

const expectLength = (path: string, found: number, wanted: number) => {
  if (found !== wanted) throw Invalid.field(path, `has ${found} values where ${wanted} are due`);
};

const finiteNumbers = (path: string, values: ArrayLike<unknown>): Float64Array => {
  const numbers = new Float64Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw Invalid.field(`${path}[${row}]`, `${String(value)} is not a finite number`);
    }
    numbers[row] = value;
  }
  return numbers;
};

const checkWeights = (weights: ArrayLike<number>, rowCount: number): Float64Array => {
  expectLength('weights', weights.length, rowCount);
  const numbers = finiteNumbers('weights', weights);
  const negative = numbers.findIndex((weight) => weight < 0);
  if (negative >= 0) throw Invalid.field(`weights[${negative}]`, 'is negative');
  if (numbers.every((weight) => weight === 0)) throw Invalid.field('weights', 'are all zero');
  return numbers;
};

const checkClasses = (classes: readonly string[]): readonly string[] => {
  if (classes.length < 2) {
    throw Invalid.field('classes', `a classification needs two classes, not ${classes.length}`);
  }
  const repeated = classes.find((name, index) => classes.indexOf(name) !== index);
  if (repeated !== undefined) throw Invalid.field('classes', `"${repeated}" stands twice`);
  return classes;
};

const withUnknown = (known: readonly string[], target: ArrayLike<Label | null>): readonly string[] => {
  const all = new Set(known);
  for (let row = 0; row < target.length; row++) {
    const label = target[row];
    if (label !== null && label !== undefined) all.add(String(label));
  }
  return [...all];
};

const positiveIndex = (classes: readonly string[], positiveClass: Label): number => {
  expectLength('classes', classes.length, 2);
  const index = classes.indexOf(String(positiveClass));
  if (index < 0) {
    throw Invalid.field('positive_class', `"${positiveClass}" is none of the classes ${classes.join(', ')}`);
  }
  return index;
};

const classIndexes = (
  path: string,
  labels: ArrayLike<Label | null>,
  indexOf: ReadonlyMap<string, number>,
): Int32Array => {
  const indexes = new Int32Array(labels.length);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row];
    const index = label === null || label === undefined ? undefined : indexOf.get(String(label));
    if (index === undefined) {
      throw Invalid.field(
        `${path}[${row}]`,
        `${JSON.stringify(label)} is none of the classes ${[...indexOf.keys()].join(', ')}`,
      );
    }
    indexes[row] = index;
  }
  return indexes;
};

// Models that compute in single precision may overshoot by a rounding error.
const overshoot = 1e-6;

/** The transposed probabilities; classes after the known ones get 0. */
const byClass = (
  rows: ArrayLike<ArrayLike<number>>,
  rowCount: number,
  knownCount: number,
  classCount: number,
): readonly Float64Array[] => {
  expectLength('prediction.probabilities', rows.length, rowCount);
  const columns = Array.from({ length: classCount }, () => new Float64Array(rowCount));
  for (let row = 0; row < rowCount; row++) {
    const values = rows[row]!;
    expectLength(`prediction.probabilities[${row}]`, values.length, knownCount);
    for (let index = 0; index < knownCount; index++) {
      const value = values[index]!;
      if (!(value >= -overshoot && value <= 1 + overshoot)) {
        throw Invalid.field(`prediction.probabilities[${row}][${index}]`, `${value} is not between 0 and 1`);
      }
      columns[index]![row] = Math.min(1, Math.max(0, value));
    }
  }
  return columns;
};
