/**
 * The few special functions that the tests need, in double precision. Checked against scipy in
 * `test/statistics.unit.spec.ts` (relative error below 1e-10).
 */

// Lanczos approximation with g = 7 and nine terms: C. Lanczos, SIAM J. Numer. Anal. B 1 (1964), coefficients by P. Godfrey.
const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;
const halfLogTwoPi = 0.9189385332046727;

/** ln Γ(x) for x > 0. */
export const logGamma = (x: number): number => {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const z = x - 1;
  let sum: number = lanczos[0];
  for (let i = 1; i < lanczos.length; i++) sum += (lanczos[i] ?? 0) / (z + i);
  const t = z + 7.5;
  return halfLogTwoPi + (z + 0.5) * Math.log(t) - t + Math.log(sum);
};

const smallFactorials = Float64Array.from({ length: 1025 }, () => 0);
for (let i = 2; i < smallFactorials.length; i++) {
  smallFactorials[i] = (smallFactorials[i - 1] ?? 0) + Math.log(i);
}

/** What was computed already, by n: permutation tests ask for the same few thousand again and again. */
const knownFactorials = new Float64Array(2 ** 16);

/** ln n! for an integer n >= 0. */
export const logFactorial = (n: number): number => {
  const known = smallFactorials[n] || knownFactorials[n];
  if (known) return known;
  if (n < 2) return 0;
  const value = logGamma(n + 1);
  if (n < knownFactorials.length) knownFactorials[n] = value;
  return value;
};

/** ln of the binomial coefficient. */
export const logChoose = (n: number, k: number): number =>
  logFactorial(n) - logFactorial(k) - logFactorial(n - k);

const maxIterations = 100_000;

const lowerBySeries = (a: number, x: number): number => {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < maxIterations; n++) {
    term *= x / (a + n);
    sum += term;
    if (term < sum * Number.EPSILON) break;
  }
  return sum * Math.exp(a * Math.log(x) - x - logGamma(a));
};

const upperByContinuedFraction = (a: number, x: number): number => {
  const tiny = Number.MIN_VALUE / Number.EPSILON;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let fraction = d;
  for (let i = 1; i < maxIterations; i++) {
    const an = -i * (i - a);
    b += 2;
    d = an * d + b;
    if (Math.abs(d) < tiny) d = tiny;
    c = b + an / c;
    if (Math.abs(c) < tiny) c = tiny;
    d = 1 / d;
    const delta = d * c;
    fraction *= delta;
    if (Math.abs(delta - 1) < Number.EPSILON) break;
  }
  return fraction * Math.exp(a * Math.log(x) - x - logGamma(a));
};

/**
 * Regularised upper incomplete gamma function Q(a, x), by series or by Lentz's continued fraction
 * (DLMF 8.11.4 and 8.9.2).
 */
export const upperGamma = (a: number, x: number): number => {
  if (x <= 0) return 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  return x < a + 1 ? 1 - lowerBySeries(a, x) : upperByContinuedFraction(a, x);
};

/** P(χ² >= x) with `df` degrees of freedom. */
export const chiSquaredSurvival = (x: number, df: number): number => upperGamma(df / 2, x / 2);

/** P(|Z| >= z) of the standard normal distribution. */
export const normalTwoSided = (z: number): number => upperGamma(0.5, (z * z) / 2);

/** The x with P(χ² >= x) = `tail`, by bisection on the survival function, to 1e-12 relative. */
export const chiSquaredCritical = (tail: number, df: number): number => {
  if (tail >= 1) return 0;
  let low = 0;
  let high = df + 10;
  while (chiSquaredSurvival(high, df) > tail) high *= 2;
  while (high - low > 1e-12 * high) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (chiSquaredSurvival(middle, df) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};

/** P(X >= k) of a Poisson variable of that mean. */
export const poissonSurvival = (k: number, mean: number): number =>
  k <= 0 ? 1 : mean <= 0 ? 0 : 1 - upperGamma(k, mean);
