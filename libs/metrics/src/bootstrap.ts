import { Invalid } from '@millrace/errors';
import { createRandom, defaultSeed } from '@millrace/random';
import { type Metrics, prepareEvaluator } from './compute-metrics.ts';
import type { Observations } from './observations.ts';

export interface BootstrapOptions {
  readonly seed?: number;
  /** Default 200. */
  readonly resamples?: number;
  /** Coverage of the interval, between 0 and 1; default 0.95. */
  readonly confidence?: number;
}

/** A percentile interval (Efron and Tibshirani, 1993, chapter 13). */
export interface Interval {
  readonly low: number;
  readonly high: number;
  readonly confidence: number;
}

/** Challenger minus champion on the same rows. */
export interface Difference {
  readonly value: number;
  readonly interval?: Interval;
}

/**
 * Confidence interval of each metric from resampling the rows. Absent for a metric that is defined on less
 * than half of the resamples.
 */
export const bootstrapIntervals = (
  observations: Observations,
  options: BootstrapOptions = {},
): Readonly<Record<string, Interval>> => {
  const { resamples, confidence, seed } = checkOptions(options);
  const evaluate = prepareEvaluator(observations);
  const draws = collect(resamples, observations, seed, evaluate);
  return intervalsOf(draws, resamples, confidence);
};

/**
 * Difference of each metric that both models have, with the interval from resampling the rows of both
 * alike, so that what makes a row hard for both cancels out.
 * @throws Invalid when the two do not share their rows' targets.
 */
export const pairedBootstrap = (
  challenger: Observations,
  champion: Observations,
  options: BootstrapOptions = {},
): Readonly<Record<string, Difference>> => {
  const { resamples, confidence, seed } = checkOptions(options);
  expectSameRows(challenger, champion);
  const ofChallenger = prepareEvaluator(challenger);
  const ofChampion = prepareEvaluator(champion);
  const difference = (weights?: Float64Array) => subtract(ofChallenger(weights), ofChampion(weights));
  const intervals = intervalsOf(collect(resamples, challenger, seed, difference), resamples, confidence);
  return Object.fromEntries(
    Object.entries(difference(challenger.weights))
      .filter(([, value]) => Number.isFinite(value))
      .map(([name, value]) => [
        name,
        intervals[name] === undefined ? { value } : { value, interval: intervals[name] },
      ]),
  );
};

/**
 * Linear interpolation between order statistics, as `numpy.quantile` does by default.
 * `sorted` ascends and is not empty; `share` is between 0 and 1.
 */
export const quantile = (sorted: ArrayLike<number>, share: number): number => {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (position - below);
};

const checkOptions = ({ seed = defaultSeed, resamples = 200, confidence = 0.95 }: BootstrapOptions) => {
  if (!Number.isInteger(resamples) || resamples < 2 || resamples > 100_000) {
    throw Invalid.field('resamples', `${resamples} is not an integer from 2 to 100000`);
  }
  if (!(confidence > 0 && confidence < 1)) {
    throw Invalid.field('confidence', `${confidence} is not between 0 and 1`);
  }
  return { seed, resamples, confidence };
};

/** Values of each metric over the resamples. A resample is the number of times that each row was drawn. */
const collect = (
  resamples: number,
  { rowCount, weights }: Observations,
  seed: number,
  evaluate: (weights: Float64Array) => Metrics,
): Map<string, number[]> => {
  const random = createRandom(seed);
  const counts = new Float64Array(rowCount);
  const values = new Map<string, number[]>();
  for (let resample = 0; resample < resamples; resample++) {
    counts.fill(0);
    for (let draw = 0; draw < rowCount; draw++) counts[random.integer(rowCount)]! += 1;
    if (weights !== undefined) for (let row = 0; row < rowCount; row++) counts[row]! *= weights[row]!;
    for (const [name, value] of Object.entries(evaluate(counts))) {
      if (!Number.isFinite(value)) continue;
      const collected = values.get(name);
      if (collected === undefined) values.set(name, [value]);
      else collected.push(value);
    }
  }
  return values;
};

const intervalsOf = (
  draws: ReadonlyMap<string, number[]>,
  resamples: number,
  confidence: number,
): Record<string, Interval> => {
  const tail = (1 - confidence) / 2;
  const intervals: Record<string, Interval> = {};
  for (const [name, values] of draws) {
    if (values.length < resamples / 2) continue;
    const sorted = Float64Array.from(values).sort();
    intervals[name] = { low: quantile(sorted, tail), high: quantile(sorted, 1 - tail), confidence };
  }
  return intervals;
};

const subtract = (challenger: Metrics, champion: Metrics): Metrics => {
  const difference: Record<string, number> = {};
  for (const [name, value] of Object.entries(challenger)) {
    const other = champion[name];
    if (other !== undefined) difference[name] = value - other;
  }
  return difference;
};

const expectSameRows = (challenger: Observations, champion: Observations) => {
  const labels = (observations: Observations) => (row: number) =>
    observations.type === 'regression'
      ? observations.target[row]
      : observations.classes[observations.target[row]!];
  const [one, other] = [labels(challenger), labels(champion)];
  const sameShape = challenger.type === champion.type && challenger.rowCount === champion.rowCount;
  for (let row = 0; row < challenger.rowCount; row++) {
    if (sameShape && one(row) === other(row)) continue;
    throw Invalid.field('champion', 'was not evaluated on the same rows as the challenger');
  }
};
