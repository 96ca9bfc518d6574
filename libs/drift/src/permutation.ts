import type { Random } from '@millrace/random';
import type { Counts } from './divergence.ts';
import { logChoose } from './special-functions.ts';

/** Once this many draws were at least as extreme, the p-value is known well enough to stop. */
const enoughExceedances = 20;

/**
 * Monte-Carlo p-value with early stopping: J. Besag & P. Clifford, Biometrika 78 (1991) 301. Valid at any number
 * of draws: P(p <= α) <= α when nothing differs.
 */
export const sequentialPValue = (observed: number, draw: () => number, maxDraws: number): number => {
  // Sums in another order differ in the last bits; a tie must count as a tie.
  const limit = observed - 1e-12 * Math.abs(observed);
  let exceedances = 0;
  for (let draws = 1; draws <= maxDraws; draws++) {
    if (draw() < limit) continue;
    exceedances++;
    if (exceedances === enoughExceedances) return enoughExceedances / draws;
  }
  return (exceedances + 1) / (maxDraws + 1);
};

/** Inversions that are kept between the draws of a test: some hundred bytes each. */
const maxKept = 20_000;

/**
 * The distribution of how many of `draws` taken without replacement from `total` are among the `marked`, for inversion
 * outward from the mode: about one standard deviation of steps. Steps are computed when first needed, and then kept.
 */
class Inversion {
  readonly #values: number[];
  /** Probability of the values up to each one. */
  readonly #upTo: number[];
  readonly #marked: number;
  readonly #total: number;
  readonly #draws: number;
  readonly #low: number;
  readonly #high: number;
  #up: number;
  #down: number;
  #upWeight: number;
  #downWeight: number;

  constructor(marked: number, total: number, draws: number) {
    const low = Math.max(0, draws - (total - marked));
    const high = Math.min(marked, draws);
    const mode = Math.min(high, Math.max(low, Math.floor(((draws + 1) * (marked + 1)) / (total + 2))));
    const atMode = Math.exp(
      logChoose(marked, mode) + logChoose(total - marked, draws - mode) - logChoose(total, draws),
    );
    this.#marked = marked;
    this.#total = total;
    this.#draws = draws;
    this.#low = low;
    this.#high = high;
    this.#up = mode;
    this.#down = mode;
    this.#upWeight = atMode;
    this.#downWeight = atMode;
    this.#values = [mode];
    this.#upTo = [atMode];
  }

  /** The value at a place in [0, 1). */
  at(place: number): number {
    for (let step = 0; step < this.#values.length || this.#extend(); step++) {
      if (place <= (this.#upTo[step] ?? 0)) return this.#values[step] ?? 0;
    }
    // Rounding kept the sum below the place.
    return this.#values[0] ?? 0;
  }

  /** Takes the next value above and the next below; false when there is none. */
  #extend(): boolean {
    const [marked, draws, others] = [this.#marked, this.#draws, this.#total - this.#marked - this.#draws];
    const before = this.#values.length;
    if (this.#up < this.#high) {
      const up = this.#up;
      this.#upWeight *= ((marked - up) * (draws - up)) / ((up + 1) * (others + up + 1));
      this.#up++;
      this.#push(this.#up, this.#upWeight);
    }
    if (this.#down > this.#low) {
      const down = this.#down;
      this.#downWeight *= (down * (others + down)) / ((marked - down + 1) * (draws - down + 1));
      this.#down--;
      this.#push(this.#down, this.#downWeight);
    }
    return this.#values.length > before;
  }

  #push(value: number, weight: number): void {
    this.#values.push(value);
    this.#upTo.push((this.#upTo.at(-1) ?? 0) + weight);
  }
}

/** Draws multivariate hypergeometric counts: how many of `n` rows, taken at random from the pooled ones, fall into each bin. */
class CountDraws {
  readonly #pooled: Float64Array;
  readonly #total: number;
  /** By bin and by how many rows are still to be taken there: what is pooled never changes. */
  readonly #inversions: (Inversion | undefined)[][];
  #kept = 0;

  constructor(pooled: Float64Array) {
    this.#pooled = pooled;
    this.#total = pooled.reduce((sum, count) => sum + count, 0);
    this.#inversions = Array.from(pooled, () => []);
  }

  /** Fills `drawn` with the counts of one draw. */
  into(drawn: Float64Array, n: number, random: Random): void {
    let [left, wanted] = [this.#total, n];
    for (let bin = 0; bin < drawn.length; bin++) {
      const inBin = this.#pooled[bin] ?? 0;
      const taken = this.#taken(bin, inBin, left, wanted, random);
      drawn[bin] = taken;
      left -= inBin;
      wanted -= taken;
    }
  }

  #taken(bin: number, inBin: number, left: number, wanted: number, random: Random): number {
    const low = Math.max(0, wanted - (left - inBin));
    if (low === Math.min(inBin, wanted)) return low;
    const place = random.uniform();
    const kept = this.#inversions[bin] ?? [];
    const known = kept[wanted];
    if (known !== undefined) return known.at(place);
    const inversion = new Inversion(inBin, left, wanted);
    if (this.#kept < maxKept) {
      kept[wanted] = inversion;
      this.#kept++;
    }
    return inversion.at(place);
  }
}

/** A statistic of baseline and window counts for fixed sums of both in each bin, and a fixed number of rows in the window. */
export type StatisticOfMargins = (
  pooled: Counts,
  windowTotal: number,
) => (baseline: Counts, window: Counts) => number;

/**
 * P-value of any statistic of two count vectors under random relabelling of the pooled rows (Fisher's permutation
 * test; relabelled counts are multivariate hypergeometric).
 */
export const permuteCounts = (
  baseline: Counts,
  window: Counts,
  statisticOf: StatisticOfMargins,
  random: Random,
  maxDraws: number,
): number => {
  const bins = baseline.length;
  const pooled = Float64Array.from({ length: bins }, (_, i) => (baseline[i] ?? 0) + (window[i] ?? 0));
  const n = Array.from(window).reduce((sum, count) => sum + count, 0);
  const statistic = statisticOf(pooled, n);
  const draws = new CountDraws(pooled);
  const [drawn, rest] = [new Float64Array(bins), new Float64Array(bins)];
  const draw = (): number => {
    draws.into(drawn, n, random);
    for (let i = 0; i < bins; i++) rest[i] = (pooled[i] ?? 0) - (drawn[i] ?? 0);
    return statistic(rest, drawn);
  };
  return sequentialPValue(statistic(baseline, window), draw, maxDraws);
};

/** P-value of a statistic of two sorted samples under random relabelling of their pooled values. */
export const permuteSamples = (
  baseline: Float64Array,
  window: Float64Array,
  statistic: (baseline: Float64Array, window: Float64Array) => number,
  random: Random,
  maxDraws: number,
): number => {
  const pooled = new Float64Array(baseline.length + window.length);
  pooled.set(baseline);
  pooled.set(window, baseline.length);
  pooled.sort();
  const [first, second] = [new Float64Array(baseline.length), new Float64Array(window.length)];
  // Selection sampling keeps both parts sorted: Knuth, TAOCP 2, algorithm 3.4.2 S.
  const draw = (): number => {
    let taken = 0;
    for (let i = 0; i < pooled.length; i++) {
      const value = pooled[i] ?? 0;
      if (random.uniform() * (pooled.length - i) < second.length - taken) second[taken++] = value;
      else first[i - taken] = value;
    }
    return statistic(first, second);
  };
  return sequentialPValue(statistic(baseline, window), draw, maxDraws);
};
