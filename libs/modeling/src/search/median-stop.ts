import { mean, median } from '../statistics.ts';

/** Losses of a trial by step, from its first. */
export type LossCurve = readonly number[];

/** Finished trials, and steps of this one, before any trial is stopped. */
const leastTrials = 3;
const leastSteps = 5;

/**
 * Whether a trial should be given up: its best loss so far is worse than the median of the finished trials'
 * mean losses up to the same step. D. Golovin et al.: Google Vizier, KDD 2017, section 3.2.1.
 */
export const shouldStop = (curve: LossCurve, finished: readonly LossCurve[]): boolean => {
  const comparable = finished.filter((other) => other.length >= curve.length);
  if (comparable.length < leastTrials || curve.length < leastSteps) return false;
  return Math.min(...curve) > median(comparable.map((other) => mean(other.slice(0, curve.length))));
};
