import { logChoose } from './special-functions.ts';

/**
 * Distribution of the one-sample, two-sided Kolmogorov–Smirnov statistic for finite n, by the plan of
 * R. Simard & P. L'Ecuyer, J. Stat. Softw. 39 (2011) 11: Miller's tail for large n·d², the matrix of Durbin,
 * Marsaglia, Tsang & Wang for small n, Pelz & Good's expansion otherwise. scipy's `kstwo` follows the same plan.
 */

/** P(D+ >= d) of the one-sided statistic: Birnbaum & Tingey, Ann. Math. Stat. 22 (1951) 592. */
const smirnovSurvival = (n: number, d: number): number => {
  let sum = 0;
  const terms = Math.floor(n * (1 - d));
  for (let j = 0; j <= terms; j++) {
    const below = d + j / n;
    const above = 1 - below;
    if (above <= 0) {
      if (j === n) sum += below ** (j - 1);
      continue;
    }
    sum += Math.exp(logChoose(n, j) + (j - 1) * Math.log(below) + (n - j) * Math.log(above));
  }
  return Math.min(1, d * sum);
};

type Matrix = Float64Array;

const multiply = (a: Matrix, b: Matrix, size: number): Matrix => {
  const product = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const factor = a[i * size + k] ?? 0;
      if (factor === 0) continue;
      for (let j = 0; j < size; j++) {
        product[i * size + j] = (product[i * size + j] ?? 0) + factor * (b[k * size + j] ?? 0);
      }
    }
  }
  return product;
};

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

/** The matrix H of Marsaglia, Tsang & Wang, J. Stat. Softw. 8 (2003) 18. */
const durbinMatrix = (size: number, h: number): Matrix => {
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) matrix[i * size + j] = i - j + 1 < 0 ? 0 : 1;
  }
  for (let i = 0; i < size; i++) {
    matrix[i * size] = (matrix[i * size] ?? 0) - h ** (i + 1);
    const lastRow = (size - 1) * size + i;
    matrix[lastRow] = (matrix[lastRow] ?? 0) - h ** (size - i);
  }
  const corner = (size - 1) * size;
  if (2 * h > 1) matrix[corner] = (matrix[corner] ?? 0) + (2 * h - 1) ** size;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      if (i - j + 1 > 0) matrix[i * size + j] = (matrix[i * size + j] ?? 0) / factorial(i - j + 1);
    }
  }
  return matrix;
};

/** P(D < d), exact; for n of at most 140, whose n!/nⁿ and matrix powers stay within a double's range. */
const durbinCumulative = (n: number, d: number): number => {
  const k = Math.floor(n * d) + 1;
  const size = 2 * k - 1;
  let base = durbinMatrix(size, k - n * d);
  let power: Matrix | undefined;
  for (let exponent = n; exponent > 0; exponent = Math.floor(exponent / 2)) {
    if (exponent % 2 === 1) power = power === undefined ? base : multiply(power, base, size);
    if (exponent > 1) base = multiply(base, base, size);
  }
  let probability = power?.[(k - 1) * size + k - 1] ?? 0;
  for (let i = 1; i <= n; i++) probability *= i / n;
  return probability;
};

/** P(D < d) by W. Pelz & I. J. Good, J. R. Stat. Soc. B 38 (1976) 152, four terms. */
const pelzGoodCumulative = (n: number, d: number): number => {
  const z = Math.sqrt(n) * d;
  const [z2, z4, z6] = [z ** 2, z ** 4, z ** 6];
  const [pi2, pi4, pi6] = [Math.PI ** 2, Math.PI ** 4, Math.PI ** 6];
  const root = Math.sqrt(Math.PI / 2);
  let [k0, k1, k2, k3] = [0, 0, 0, 0];
  for (let i = 0; i < 60; i++) {
    const odd = i + 0.5;
    const [o2, o4, o6] = [odd ** 2, odd ** 4, odd ** 6];
    const weight = Math.exp((-pi2 * o2) / (2 * z2));
    k0 += weight;
    k1 += (pi2 * o2 - z2) * weight;
    k2 += (6 * z6 + 2 * z4 + pi2 * (2 * z4 - 5 * z2) * o2 + pi4 * (1 - 2 * z2) * o4) * weight;
    k3 +=
      (-30 * z6 -
        90 * z ** 8 +
        pi2 * (135 * z4 - 96 * z6) * o2 +
        pi4 * (-60 * z2 + 212 * z4) * o4 +
        pi6 * o6 * (5 - 30 * z2)) *
      weight;
  }
  let [whole2, whole3] = [0, 0];
  for (let i = 1; i < 60; i++) {
    const i2 = i * i;
    const weight = Math.exp((-pi2 * i2) / (2 * z2));
    whole2 += i2 * weight;
    whole3 += (3 * pi2 * i2 * z2 - pi4 * i2 * i2) * weight;
  }
  // Two-sided sums over all odd halves run over positive and negative indices, hence the factors of 2.
  return (
    (2 * root * k0) / z +
    (root * 2 * k1) / (6 * z4 * Math.sqrt(n)) +
    ((root * 2 * k2) / (72 * z ** 7) - (root * 2 * pi2 * whole2) / (36 * z ** 3)) / n +
    ((root * 2 * k3) / (6480 * z ** 10) + (root * 2 * whole3) / (216 * z6)) / n ** 1.5
  );
};

/** P(D >= d) for a sample of n, to about 1e-9 absolute. */
export const kolmogorovSurvival = (n: number, d: number): number => {
  if (d >= 1) return 0;
  if (n * d <= 0.5) return 1;
  const scaled = n * d * d;
  if (scaled >= 370) return 0;
  if (d >= 0.5 || scaled >= (n <= 140 ? 4 : 2.2)) return Math.min(1, 2 * smirnovSurvival(n, d));
  const cumulative = n <= 140 ? durbinCumulative(n, d) : pelzGoodCumulative(n, d);
  return Math.min(1, Math.max(0, 1 - cumulative));
};
