import { logChoose, normalTwoSided } from './special-functions.ts';

export interface ProportionTest {
  /** Share in the window minus share in the baseline. */
  readonly difference: number;
  readonly pValue: number;
  readonly method: 'exact' | 'asymptotic';
}

/** Below this expected count in any cell the normal approximation is not trusted (Cochran's rule). */
const minExpected = 5;

/** Fisher's exact test, two-sided: the tables no likelier than the one seen; scipy's `fisher_exact`. */
export const fisherExact = (hits: number, n: number, baselineHits: number, m: number): number => {
  const total = hits + baselineHits;
  const logProbability = (k: number): number =>
    logChoose(n, k) + logChoose(m, total - k) - logChoose(n + m, total);
  // Equal probabilities may differ by rounding.
  const seen = logProbability(hits) + 1e-7;
  let pValue = 0;
  for (let k = Math.max(0, total - m); k <= Math.min(n, total); k++) {
    const log = logProbability(k);
    if (log <= seen) pValue += Math.exp(log);
  }
  return Math.min(1, pValue);
};

/** The two-proportion z test with pooled variance, two-sided; equals chi-squared without correction. */
export const twoProportionZ = (hits: number, n: number, baselineHits: number, m: number): number => {
  const pooled = (hits + baselineHits) / (n + m);
  const variance = pooled * (1 - pooled) * (1 / n + 1 / m);
  if (variance === 0) return 1;
  return normalTwoSided((hits / n - baselineHits / m) / Math.sqrt(variance));
};

/** Compares two shares: Fisher's exact test where a cell expects fewer than 5, else the z test. */
export const compareProportions = (
  hits: number,
  n: number,
  baselineHits: number,
  m: number,
): ProportionTest => {
  const pooled = (hits + baselineHits) / (n + m);
  const smallest = Math.min(n, m) * Math.min(pooled, 1 - pooled);
  const exact = smallest < minExpected;
  return {
    difference: hits / n - baselineHits / m,
    pValue: (exact ? fisherExact : twoProportionZ)(hits, n, baselineHits, m),
    method: exact ? 'exact' : 'asymptotic',
  };
};
