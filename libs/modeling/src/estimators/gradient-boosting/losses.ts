import type { Target } from '../estimator.ts';

/** A loss over scores. Regression and two classes have one score per row, more classes one each. */
export interface Loss {
  /** Scores per row. */
  readonly outputs: number;
  /** Best constant score of each output. */
  readonly baseline: readonly number[];
  /** Mean loss of the scores (`scores[output][row]`): half the squared error, or the log-loss. */
  value(scores: readonly Float64Array[], target: Target): number;
  /** First and second derivatives by each score, written to `gradients[output][row]` and `hessians`. */
  derivatives(
    scores: readonly Float64Array[],
    target: Target,
    gradients: readonly Float32Array[],
    hessians: readonly Float32Array[],
  ): void;
}

/** The loss that fits the target. */
export const lossFor = (target: Target): Loss => {
  if (target.kind === 'regression') return squaredError(target.values);
  return target.classes.length === 2
    ? binaryLogLoss(target.indices)
    : multinomialLogLoss(target.classes.length, target.indices);
};

const valuesOf = (target: Target): readonly number[] =>
  target.kind === 'regression' ? target.values : target.indices;

const meanOver = (rows: number, loss: (row: number) => number): number => {
  let sum = 0;
  for (let row = 0; row < rows; row += 1) sum += loss(row);
  return sum / rows;
};

const only = <T>(values: readonly T[]): T => values[0] as T;

const squaredError = (values: readonly number[]): Loss => ({
  outputs: 1,
  baseline: [values.reduce((sum, value) => sum + value, 0) / values.length],
  value: (scores, target) => {
    const truth = valuesOf(target);
    const score = only(scores);
    return meanOver(truth.length, (row) => ((score[row] ?? 0) - (truth[row] ?? 0)) ** 2 / 2);
  },
  derivatives: (scores, target, gradients, hessians) => {
    const truth = valuesOf(target);
    only(scores).forEach((score, row) => {
      only(gradients)[row] = score - (truth[row] ?? 0);
      only(hessians)[row] = 1;
    });
  },
});

const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score));

const binaryLogLoss = (indices: readonly number[]): Loss => {
  const share = indices.reduce((sum, index) => sum + index, 0) / indices.length;
  return {
    outputs: 1,
    baseline: [Math.log(share / (1 - share))],
    value: (scores, target) => {
      const truth = valuesOf(target);
      return meanOver(truth.length, (row) => {
        const score = only(scores)[row] ?? 0;
        return Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score))) - (truth[row] ?? 0) * score;
      });
    },
    derivatives: (scores, target, gradients, hessians) => {
      const truth = valuesOf(target);
      only(scores).forEach((score, row) => {
        const probability = sigmoid(score);
        only(gradients)[row] = probability - (truth[row] ?? 0);
        only(hessians)[row] = probability * (1 - probability);
      });
    },
  };
};

/** Probabilities of one row's scores. */
export const softmaxAt = (scores: readonly Float64Array[], row: number): number[] => {
  const own = scores.map((score) => score[row] ?? 0);
  const most = Math.max(...own);
  const powers = own.map((score) => Math.exp(score - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
};

/** Probabilities of one row: of both classes from one score, else of each class from its own. */
export const probabilitiesAt = (scores: readonly Float64Array[], row: number): number[] => {
  if (scores.length > 1) return softmaxAt(scores, row);
  const second = sigmoid(only(scores)[row] ?? 0);
  return [1 - second, second];
};

const multinomialLogLoss = (classes: number, indices: readonly number[]): Loss => {
  const logs = Array.from({ length: classes }, (_, index) =>
    Math.log(indices.filter((value) => value === index).length / indices.length),
  );
  // Scores are determined up to a constant; these sum to zero.
  const center = logs.reduce((sum, value) => sum + value, 0) / classes;
  return {
    outputs: classes,
    baseline: logs.map((value) => value - center),
    value: (scores, target) => {
      const truth = valuesOf(target);
      return meanOver(
        truth.length,
        (row) => -Math.log(Math.max(softmaxAt(scores, row)[truth[row] ?? 0] ?? 0, Number.MIN_VALUE)),
      );
    },
    derivatives: (scores, target, gradients, hessians) => {
      const truth = valuesOf(target);
      truth.forEach((index, row) => {
        softmaxAt(scores, row).forEach((probability, output) => {
          (gradients[output] as Float32Array)[row] = probability - (output === index ? 1 : 0);
          (hessians[output] as Float32Array)[row] = probability * (1 - probability);
        });
      });
    },
  };
};
