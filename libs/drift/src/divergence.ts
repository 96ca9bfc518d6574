/**
 * Distances between two distributions given as counts over the same bins or categories. `counts` need not be
 * whole numbers; both must have the same length and a positive sum.
 */
export type Counts = ArrayLike<number>;

const sumOf = (counts: Counts): number => {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i] ?? 0;
  return sum;
};

/** Added to every count so that an empty bin does not make the index infinite (Krichevsky & Trofimov's 1/2). */
export const defaultPseudoCount = 0.5;

/**
 * Population stability index Σ (p − q) ln(p / q), natural logarithm: Jeffreys' divergence of the smoothed shares.
 * With `pseudoCount` 0 it is the textbook index, infinite when a bin is empty on one side only.
 */
export const populationStabilityIndex = (
  baseline: Counts,
  window: Counts,
  pseudoCount: number = defaultPseudoCount,
): number => {
  const bins = baseline.length;
  const n = sumOf(window) + bins * pseudoCount;
  const m = sumOf(baseline) + bins * pseudoCount;
  let index = 0;
  for (let i = 0; i < bins; i++) {
    const p = ((window[i] ?? 0) + pseudoCount) / n;
    const q = ((baseline[i] ?? 0) + pseudoCount) / m;
    if (p !== q) index += (p - q) * Math.log(p / q);
  }
  return index;
};

/** Jensen–Shannon divergence in bits (logarithm of base 2), between 0 and 1. */
export const jensenShannonDivergence = (baseline: Counts, window: Counts): number => {
  const n = sumOf(window);
  const m = sumOf(baseline);
  let divergence = 0;
  for (let i = 0; i < baseline.length; i++) {
    const p = (window[i] ?? 0) / n;
    const q = (baseline[i] ?? 0) / m;
    const middle = (p + q) / 2;
    if (p > 0) divergence += p * Math.log2(p / middle);
    if (q > 0) divergence += q * Math.log2(q / middle);
  }
  return Math.max(0, divergence / 2);
};

/** Square root of the divergence in bits: a metric between 0 and 1; scipy's `jensenshannon(p, q, base=2)`. */
export const jensenShannonDistance = (baseline: Counts, window: Counts): number =>
  Math.sqrt(jensenShannonDivergence(baseline, window));

/** Half the sum of the absolute differences of the shares: the largest difference in probability of any event. */
export const totalVariation = (baseline: Counts, window: Counts): number => {
  const n = sumOf(window);
  const m = sumOf(baseline);
  let sum = 0;
  for (let i = 0; i < baseline.length; i++) {
    sum += Math.abs((window[i] ?? 0) / n - (baseline[i] ?? 0) / m);
  }
  return sum / 2;
};

/** Pearson's statistic of the 2 × B table without continuity correction; scipy's `chi2_contingency(correction=False)`. */
export const chiSquaredStatistic = (baseline: Counts, window: Counts): number => {
  const n = sumOf(window);
  const m = sumOf(baseline);
  let statistic = 0;
  for (let i = 0; i < baseline.length; i++) {
    const pooled = (window[i] ?? 0) + (baseline[i] ?? 0);
    if (pooled === 0) continue;
    const expected = (pooled * n) / (n + m);
    const difference = (window[i] ?? 0) - expected;
    // Both cells of the column deviate by the same amount.
    statistic += difference * difference * (1 / expected + 1 / (pooled - expected));
  }
  return statistic;
};

/** `chiSquaredStatistic` where the sums of both in each bin and the number of rows in the window are known beforehand. */
export const chiSquaredOfMargins = (
  pooled: Counts,
  windowTotal: number,
): ((baseline: Counts, window: Counts) => number) => {
  const total = sumOf(pooled);
  const expected = Float64Array.from(pooled, (count) => (count * windowTotal) / total);
  const weights = expected.map((mean, i) => (mean === 0 ? 0 : 1 / mean + 1 / ((pooled[i] ?? 0) - mean)));
  return (_baseline, window) => {
    let statistic = 0;
    for (let i = 0; i < weights.length; i++) {
      const difference = (window[i] ?? 0) - (expected[i] ?? 0);
      statistic += difference * difference * (weights[i] ?? 0);
    }
    return statistic;
  };
};
