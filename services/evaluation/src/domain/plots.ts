import {
  type ClassificationObservations,
  calibrationCurve,
  confusionMatrix,
  type Observations,
  type RegressionObservations,
  residualSummary,
  TaskType,
  thin,
  thresholdCurve,
} from '@millrace/metrics';
import { createRandom } from '@millrace/random';
import type { CurvePoint, Plots } from './measurement.ts';

/** Points of a scatter plot: more only blur. */
const mostPoints = 1_500;
const mostCurvePoints = 200;
/** Curves in one plot: more cannot be told apart. */
const mostCurves = 6;

/** The figures behind the plots, thinned to what a plot can show. */
export const plotsOf = (observations: Observations, seed: number): Plots =>
  observations.type === TaskType.regression
    ? regressionPlots(observations, seed)
    : classificationPlots(observations);

const regressionPlots = (observations: RegressionObservations, seed: number): Plots => {
  const { target, predicted, rowCount } = observations;
  const rows = createRandom(seed)
    .derive('plotted rows')
    .shuffle(Array.from({ length: rowCount }, (_, row) => row))
    .slice(0, mostPoints);
  return {
    kind: 'regression',
    points: rows.map((row) => [target[row]!, predicted[row]!]),
    residuals: residualSummary(observations),
  };
};

const classificationPlots = (observations: ClassificationObservations): Plots => ({
  kind: 'classification',
  confusion: confusionMatrix(observations),
  curves: observations.probabilities === undefined ? [] : curvesOf(observations),
  calibration: observations.probabilities === undefined ? [] : calibrationCurve(observations),
});

const curvesOf = (observations: ClassificationObservations) => {
  const { classes, positive, target, rowCount } = observations;
  const support = new Map<number, number>();
  for (const label of target) support.set(label, (support.get(label) ?? 0) + 1);
  const asked = positive >= 0 ? [positive] : mostFrequent(support);
  return asked
    .filter((index) => (support.get(index) ?? 0) > 0 && support.get(index) !== rowCount)
    .map((index) => ({
      label: classes[index]!,
      points: thin(thresholdCurve(observations, index), mostCurvePoints).map(
        ({ threshold: _, ...point }): CurvePoint => point,
      ),
    }));
};

const mostFrequent = (support: ReadonlyMap<number, number>): readonly number[] =>
  [...support]
    .sort(([a, rows], [b, others]) => others - rows || a - b)
    .slice(0, mostCurves)
    .map(([index]) => index);
