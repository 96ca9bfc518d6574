import { TaskType } from './metric-table.ts';
import type { ClassificationObservations } from './observations.ts';
import { type Ranking, rankByScore, rankingScores } from './ranking.ts';
import type { Evaluator } from './regression.ts';

/**
 * Prepares the classification metrics. Formulas are scikit-learn's; a ratio without a denominator is 0
 * (`zero_division=0`). `NaN` means not defined for these rows.
 */
export const classificationEvaluator = (observations: ClassificationObservations): Evaluator => {
  const labels = observations.type === TaskType.binary ? binaryLabelMetrics : multiclassLabelMetrics;
  const probabilityMetrics = prepareProbabilityMetrics(observations);
  return (weights) => {
    const matrix = confusionCounts(observations, weights);
    return { ...labels(matrix, observations), ...probabilityMetrics(weights) };
  };
};

/** Weighted counts, row after row: `matrix[target × classCount + predicted]`. */
export const confusionCounts = (
  { target, predicted, classes, rowCount }: ClassificationObservations,
  weights?: Float64Array,
): Float64Array => {
  const matrix = new Float64Array(classes.length * classes.length);
  for (let row = 0; row < rowCount; row++) {
    matrix[target[row]! * classes.length + predicted[row]!]! += weights === undefined ? 1 : weights[row]!;
  }
  return matrix;
};

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

const binaryLabelMetrics = (matrix: Float64Array, { positive }: ClassificationObservations) => {
  const negative = 1 - positive;
  const truePositives = matrix[positive * 2 + positive]!;
  const trueNegatives = matrix[negative * 2 + negative]!;
  const falsePositives = matrix[negative * 2 + positive]!;
  const falseNegatives = matrix[positive * 2 + negative]!;
  const total = truePositives + trueNegatives + falsePositives + falseNegatives;
  return {
    f1_score: ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives),
    accuracy_score: (truePositives + trueNegatives) / total,
    recall_score: ratio(truePositives, truePositives + falseNegatives),
    precision_score: ratio(truePositives, truePositives + falsePositives),
    true_positives: truePositives,
    true_negatives: trueNegatives,
    false_positives: falsePositives,
    false_negatives: falseNegatives,
    example_count: total,
  };
};

/** Precision, recall, F1 and support (weight in the target) of one class. */
export interface ClassScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly support: number;
  readonly predicted: number;
}

export const classScores = (matrix: Float64Array, classCount: number): readonly ClassScores[] =>
  Array.from({ length: classCount }, (_, index) => {
    let support = 0;
    let predicted = 0;
    for (let other = 0; other < classCount; other++) {
      support += matrix[index * classCount + other]!;
      predicted += matrix[other * classCount + index]!;
    }
    const hits = matrix[index * classCount + index]!;
    return {
      precision: ratio(hits, predicted),
      recall: ratio(hits, support),
      f1: ratio(2 * hits, support + predicted),
      support,
      predicted,
    };
  });

const multiclassLabelMetrics = (matrix: Float64Array, { classes }: ClassificationObservations) => {
  const scores = classScores(matrix, classes.length);
  // As scikit-learn does, an average knows only classes that occur among targets or predictions.
  const present = scores.filter(({ support, predicted }) => support + predicted > 0);
  const total = scores.reduce((sum, { support }) => sum + support, 0);
  const hits = classes.reduce((sum, _, index) => sum + matrix[index * (classes.length + 1)]!, 0);
  const macro = (field: 'precision' | 'recall' | 'f1') =>
    present.reduce((sum, score) => sum + score[field], 0) / present.length;
  const weighted = (field: 'precision' | 'recall' | 'f1') =>
    present.reduce((sum, score) => sum + score.support * score[field], 0) / total;
  return {
    f1_score_macro: macro('f1'),
    // Each row has one target and one prediction, so the micro averages all equal accuracy.
    f1_score_micro: hits / total,
    f1_score_weighted: weighted('f1'),
    accuracy_score: hits / total,
    recall_score: weighted('recall'),
    precision_score: weighted('precision'),
    recall_score_macro: macro('recall'),
    precision_score_macro: macro('precision'),
    example_count: total,
  };
};

const prepareProbabilityMetrics = (observations: ClassificationObservations): Evaluator => {
  const { probabilities, type } = observations;
  if (probabilities === undefined) return () => ({});
  const losses = rowLosses(observations, probabilities);
  const bins = calibrationBins(observations, probabilities);
  const rankings = probabilities.map((scores, index) =>
    type === TaskType.multiclass || index === observations.positive ? rankByScore(scores) : undefined,
  );
  return (weights) => ({
    ...rankingMetrics(observations, rankings, weights),
    log_loss: weightedMean(losses.log, weights),
    brier_score_loss: weightedMean(losses.squared, weights),
    expected_calibration_error: calibrationError(bins, weights),
  });
};

const rankingMetrics = (
  { type, target, positive }: ClassificationObservations,
  rankings: readonly (Ranking | undefined)[],
  weights?: Float64Array,
): Record<string, number> => {
  if (type === TaskType.binary) {
    const { rocAuc, averagePrecision } = rankingScores(rankings[positive]!, target, positive, weights);
    return { roc_auc: rocAuc, precision_recall_auc: averagePrecision };
  }
  let sum = 0;
  let total = 0;
  for (const [index, ranking] of rankings.entries()) {
    const { rocAuc, positives } = rankingScores(ranking!, target, index, weights);
    // A class without rows has no curve; its weight in the average is 0.
    if (positives === 0) continue;
    sum += positives * rocAuc;
    total += positives;
  }
  return { roc_auc: sum / total };
};

const rowLosses = (
  { type, target, positive, rowCount }: ClassificationObservations,
  probabilities: readonly Float64Array[],
) => {
  const log = new Float64Array(rowCount);
  const squared = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const own = probabilities[target[row]!]![row]!;
    log[row] = -Math.log(Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, own)));
    if (type === TaskType.binary) {
      squared[row] = (probabilities[positive]![row]! - (target[row] === positive ? 1 : 0)) ** 2;
      continue;
    }
    probabilities.forEach((column, index) => {
      squared[row]! += (column[row]! - (target[row] === index ? 1 : 0)) ** 2;
    });
  }
  return { log, squared };
};

/** Rows sorted into equal-width bins of confidence. */
export interface CalibrationBins {
  readonly binCount: number;
  readonly bin: Uint16Array;
  readonly confidence: Float64Array;
  readonly outcome: Uint8Array;
}

/** Bins of the expected calibration error; `calibration_curve(n_bins=10, strategy="uniform")`. */
export const calibrationBinCount = 10;

/**
 * Confidence is the positive class's probability (binary), or that of the most probable class (multiclass);
 * the outcome tells whether that class was the true one. An edge belongs to the bin below it.
 */
export const calibrationBins = (
  { type, target, positive, rowCount }: ClassificationObservations,
  probabilities: readonly Float64Array[],
  binCount: number = calibrationBinCount,
): CalibrationBins => {
  const bin = new Uint16Array(rowCount);
  const confidence = new Float64Array(rowCount);
  const outcome = new Uint8Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const asked = type === TaskType.binary ? positive : mostProbable(probabilities, row);
    confidence[row] = probabilities[asked]![row]!;
    outcome[row] = target[row] === asked ? 1 : 0;
    bin[row] = binOf(confidence[row]!, binCount);
  }
  return { binCount, bin, confidence, outcome };
};

const mostProbable = (probabilities: readonly Float64Array[], row: number): number =>
  probabilities.reduce(
    (best, column, index) => (column[row]! > probabilities[best]![row]! ? index : best),
    0,
  );

const binOf = (confidence: number, binCount: number): number => {
  let bin = Math.min(binCount - 1, Math.floor(confidence * binCount));
  while (bin > 0 && confidence <= bin / binCount) bin--;
  return bin;
};

/** Σ over bins of (share of rows) × |mean confidence − observed frequency| (Naeini et al., AAAI 2015). */
const calibrationError = (
  { binCount, bin, confidence, outcome }: CalibrationBins,
  weights?: Float64Array,
): number => {
  const gap = new Float64Array(binCount);
  let total = 0;
  for (let row = 0; row < bin.length; row++) {
    const weight = weights === undefined ? 1 : weights[row]!;
    gap[bin[row]!]! += weight * (confidence[row]! - outcome[row]!);
    total += weight;
  }
  return gap.reduce((sum, difference) => sum + Math.abs(difference), 0) / total;
};

const weightedMean = (values: Float64Array, weights?: Float64Array): number => {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < values.length; row++) {
    const weight = weights === undefined ? 1 : weights[row]!;
    sum += weight * values[row]!;
    total += weight;
  }
  return sum / total;
};
