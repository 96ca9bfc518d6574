import { Invalid } from '@millrace/errors';
import {
  type ClassScores,
  calibrationBinCount,
  calibrationBins,
  classScores,
  confusionCounts,
} from './classification.ts';
import type { ClassificationObservations } from './observations.ts';
import { rankByScore } from './ranking.ts';

export interface ConfusionMatrix {
  readonly classes: readonly string[];
  /** `counts[target][predicted]`, weighted. */
  readonly counts: readonly (readonly number[])[];
  readonly perClass: readonly ClassScores[];
}

export const confusionMatrix = (observations: ClassificationObservations): ConfusionMatrix => {
  const { classes, weights } = observations;
  const flat = confusionCounts(observations, weights);
  return {
    classes,
    counts: classes.map((_, row) => [...flat.subarray(row * classes.length, (row + 1) * classes.length)]),
    perClass: classScores(flat, classes.length),
  };
};

/** Classification by "probability ≥ threshold" of one class against the rest. */
export interface ThresholdPoint {
  /** `Infinity` for the point at which nothing is predicted positive. */
  readonly threshold: number;
  readonly falsePositiveRate: number;
  /** Also called recall. */
  readonly truePositiveRate: number;
  /** 1 where nothing is predicted positive, as scikit-learn has it. */
  readonly precision: number;
  /** Share of the rows predicted positive. */
  readonly predictedShare: number;
}

/**
 * One point per distinct score, from the strictest threshold to the loosest; ROC, precision-recall and lift
 * curves are views of it. `classIndex` defaults to the positive class.
 * @throws Invalid without probabilities, or when the class or its complement has no rows.
 */
export const thresholdCurve = (
  observations: ClassificationObservations,
  classIndex: number = observations.positive,
): readonly ThresholdPoint[] => {
  const { target, weights } = observations;
  const scores = observations.probabilities?.[classIndex];
  if (scores === undefined) throw Invalid.field('prediction.probabilities', 'are needed for the curve');
  const { descending, groupEnds } = rankByScore(scores);
  const counts: { threshold: number; truePositives: number; falsePositives: number }[] = [];
  let truePositives = 0;
  let falsePositives = 0;
  let position = 0;
  for (const end of groupEnds) {
    for (; position < end; position++) {
      const row = descending[position]!;
      const weight = weights === undefined ? 1 : weights[row]!;
      if (target[row] === classIndex) truePositives += weight;
      else falsePositives += weight;
    }
    counts.push({ threshold: scores[descending[end - 1]!]!, truePositives, falsePositives });
  }
  if (truePositives === 0 || falsePositives === 0) {
    throw Invalid.field('target', 'a curve needs rows inside and outside the class');
  }
  const start = { threshold: Number.POSITIVE_INFINITY, truePositives: 0, falsePositives: 0 };
  return [start, ...counts].map((point) => {
    const predicted = point.truePositives + point.falsePositives;
    return {
      threshold: point.threshold,
      falsePositiveRate: point.falsePositives / falsePositives,
      truePositiveRate: point.truePositives / truePositives,
      precision: predicted === 0 ? 1 : point.truePositives / predicted,
      predictedShare: predicted / (truePositives + falsePositives),
    };
  });
};

/** Keeps the first, the last and evenly spread points between, at most `most`; for plotting. */
export const thin = <T>(points: readonly T[], most = 200): readonly T[] => {
  if (points.length <= most) return points;
  return Array.from(
    { length: most },
    (_, index) => points[Math.round((index * (points.length - 1)) / (most - 1))]!,
  );
};

export interface LiftPoint {
  /** Share of the rows, those with the highest scores. */
  readonly share: number;
  /** Positives among them over positives among as many rows taken blindly. */
  readonly lift: number;
}

/** Lift over the share of rows taken; `points` as `thresholdCurve` gives them. */
export const liftCurve = (
  points: readonly Pick<ThresholdPoint, 'predictedShare' | 'truePositiveRate'>[],
): readonly LiftPoint[] =>
  points
    .filter(({ predictedShare }) => predictedShare > 0)
    .map(({ predictedShare, truePositiveRate }) => ({
      share: predictedShare,
      lift: truePositiveRate / predictedShare,
    }));

export interface CalibrationPoint {
  /** Weight of the rows in the bin. */
  readonly count: number;
  /** Mean probability that the model gave. */
  readonly confidence: number;
  /** Share of the rows for which it came true. */
  readonly observed: number;
}

/** Bins without rows are left out. See `calibrationBins` for what confidence means. */
export const calibrationCurve = (
  observations: ClassificationObservations,
  binCount: number = calibrationBinCount,
): readonly CalibrationPoint[] => {
  const { probabilities, weights } = observations;
  if (probabilities === undefined) {
    throw Invalid.field('prediction.probabilities', 'are needed for the calibration curve');
  }
  const { bin, confidence, outcome } = calibrationBins(observations, probabilities, binCount);
  const sums = Array.from({ length: binCount }, () => ({ count: 0, confidence: 0, observed: 0 }));
  for (let row = 0; row < bin.length; row++) {
    const weight = weights === undefined ? 1 : weights[row]!;
    const sum = sums[bin[row]!]!;
    sum.count += weight;
    sum.confidence += weight * confidence[row]!;
    sum.observed += weight * outcome[row]!;
  }
  return sums
    .filter(({ count }) => count > 0)
    .map(({ count, confidence: given, observed }) => ({
      count,
      confidence: given / count,
      observed: observed / count,
    }));
};
