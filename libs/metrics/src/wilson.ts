import { Invalid } from '@millrace/errors';
import type { Interval } from './bootstrap.ts';

/**
 * Wilson's score interval for a proportion (Wilson, JASA 1927): holds its coverage for few trials and for
 * proportions near 0 and 1.
 * @throws Invalid unless 0 ≤ successes ≤ trials and trials > 0.
 */
export const wilsonInterval = (successes: number, trials: number, confidence = 0.95): Interval => {
  if (!(trials > 0 && successes >= 0 && successes <= trials)) {
    throw Invalid.field('successes', `${successes} of ${trials} is no proportion`);
  }
  const z = normalQuantile(1 - (1 - confidence) / 2);
  const share = successes / trials;
  const middle = (share + (z * z) / (2 * trials)) / (1 + (z * z) / trials);
  const half =
    ((z / (1 + (z * z) / trials)) * Math.sqrt(trials * share * (1 - share) + (z * z) / 4)) / trials;
  return {
    low: successes === 0 ? 0 : middle - half,
    high: successes === trials ? 1 : middle + half,
    confidence,
  };
};

/**
 * Quantile of the standard normal distribution by Newton's method on the distribution function; absolute
 * error below 1e-12 for 1e-10 ≤ p ≤ 1 − 1e-10.
 */
const normalQuantile = (p: number): number => {
  let z = 0;
  for (let step = 0; step < 100; step++) {
    // The density's floor keeps early steps in the tails bounded.
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const change = Math.max(-1, Math.min(1, (normalDistribution(z) - p) / density));
    z -= change;
    if (Math.abs(change) < 1e-15) break;
  }
  return z;
};

/** Φ(z) by Marsaglia's series (Journal of Statistical Software 11(4), 2004). */
const normalDistribution = (z: number): number => {
  let sum = z;
  let term = z;
  for (let index = 3; Math.abs(term) > 1e-18 * Math.abs(sum) && index < 2000; index += 2) {
    term *= (z * z) / index;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
};
