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

/**
 * One hypergeometric number: how many of `draws` taken without replacement from `total` are among the `marked`.
 * Inversion outward from the mode, about one standard deviation of steps.
 */
const hypergeometric = (random: Random, marked: number, total: number, draws: number): number => {
  const low = Math.max(0, draws - (total - marked));
  const high = Math.min(marked, draws);
  if (low === high) return low;
  const mode = Math.min(high, Math.max(low, Math.floor(((draws + 1) * (marked + 1)) / (total + 2))));
  const atMode = Math.exp(
    logChoose(marked, mode) + logChoose(total - marked, draws - mode) - logChoose(total, draws),
  );
  let remaining = random.uniform() - atMode;
  let [up, down, upWeight, downWeight] = [mode, mode, atMode, atMode];
  while (remaining > 0 && (up < high || down > low)) {
    if (up < high) {
      upWeight *= ((marked - up) * (draws - up)) / ((up + 1) * (total - marked - draws + up + 1));
      up++;
      remaining -= upWeight;
      if (remaining <= 0) return up;
    }
    if (down > low) {
      downWeight *= (down * (total - marked - draws + down)) / ((marked - down + 1) * (draws - down + 1));
      down--;
      remaining -= downWeight;
      if (remaining <= 0) return down;
    }
  }
  return mode;
};

/**
 * P-value of any statistic of two count vectors under random relabelling of the pooled rows (Fisher's permutation
 * test; relabelled counts are multivariate hypergeometric).
 */
export const permuteCounts = (
  baseline: Counts,
  window: Counts,
  statistic: (baseline: Counts, window: Counts) => number,
  random: Random,
  maxDraws: number,
): number => {
  const bins = baseline.length;
  const pooled = Float64Array.from({ length: bins }, (_, i) => (baseline[i] ?? 0) + (window[i] ?? 0));
  const total = pooled.reduce((sum, count) => sum + count, 0);
  const n = Array.from(window).reduce((sum, count) => sum + count, 0);
  const [drawn, rest] = [new Float64Array(bins), new Float64Array(bins)];
  const draw = (): number => {
    let [left, wanted] = [total, n];
    for (let i = 0; i < bins; i++) {
      const inBin = pooled[i] ?? 0;
      const taken = hypergeometric(random, inBin, left, wanted);
      drawn[i] = taken;
      rest[i] = inBin - taken;
      left -= inBin;
      wanted -= taken;
    }
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
