import { createRandom } from '@millrace/random';
import { describe, expect, it } from 'vitest';
import { chiSquaredOfMargins } from '../src/divergence.ts';
import {
  benjaminiHochberg,
  chiSquaredCritical,
  chiSquaredStatistic,
  chiSquaredSurvival,
  fisherExact,
  jensenShannonDistance,
  jensenShannonDivergence,
  kolmogorovSmirnov,
  permuteCounts,
  populationStabilityIndex,
  totalVariation,
  twoProportionZ,
  wasserstein,
} from '../src/index.ts';
// Written by reference.py with scipy 1.17.1.
import reference from './reference.json' with { type: 'json' };

/** Equal to 1e-9 relative, or absolutely below 1e-300. */
const expectEqual = (actual: number, expected: number, relative = 1e-9): void => {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(relative * Math.abs(expected) + 1e-300);
};

describe('statistics equal scipy', () => {
  it.each(reference.samples)('for samples, case %#', (row) => {
    const [a, b] = [Float64Array.from(row.a), Float64Array.from(row.b)];
    const exact = kolmogorovSmirnov(a, b, 'exact');
    expectEqual(exact.statistic, row.ks);
    expectEqual(exact.pValue, row.exact);
    const asymptotic = kolmogorovSmirnov(a, b, 'asymptotic').pValue;
    expect(Math.abs(asymptotic - row.asymptotic)).toBeLessThanOrEqual(1e-7 * row.asymptotic + 1e-12);
    expectEqual(wasserstein(a, b), row.wasserstein);
  });

  it.each(reference.counts)('for counts, case %#', (row) => {
    expectEqual(populationStabilityIndex(row.a, row.b), row.psi);
    if (row.textbookPsi !== null) expectEqual(populationStabilityIndex(row.a, row.b, 0), row.textbookPsi);
    expectEqual(jensenShannonDistance(row.a, row.b), row.jensenShannon);
    expectEqual(totalVariation(row.a, row.b), row.totalVariation);
    const chiSquared = chiSquaredStatistic(row.a, row.b);
    expectEqual(chiSquared, row.chiSquared);
    expectEqual(chiSquaredSurvival(chiSquared, row.a.length - 1), row.chiSquaredP);
  });

  it.each(reference.proportions)('for proportions, case %#', ({ hits, n, baselineHits, m, fisher, z }) => {
    expectEqual(fisherExact(hits, n, baselineHits, m), fisher);
    expectEqual(twoProportionZ(hits, n, baselineHits, m), z);
  });

  it('for the chi-squared distribution', () => {
    for (const { x, df, survival } of reference.chiSquared) expectEqual(chiSquaredSurvival(x, df), survival);
    for (const { tail, df, value } of reference.critical) expectEqual(chiSquaredCritical(tail, df), value);
  });

  it('for Benjamini and Hochberg’s correction', () => {
    const { pValues, adjusted } = reference.benjaminiHochberg;
    benjaminiHochberg(pValues).forEach((value, i) => {
      expectEqual(value, adjusted[i] ?? Number.NaN);
    });
  });
});

describe('divergences', () => {
  it('are 0 between equal shares and bounded by 1 between disjoint ones', () => {
    expect(jensenShannonDivergence([1, 2], [10, 20])).toBeCloseTo(0, 15);
    expect(jensenShannonDivergence([1, 0], [0, 1])).toBe(1);
    expect(totalVariation([1, 0], [0, 1])).toBe(1);
    expect(populationStabilityIndex([10, 10], [10, 10])).toBe(0);
  });

  it('make the smoothed index finite where the textbook one is not', () => {
    expect(populationStabilityIndex([10, 0], [5, 5], 0)).toBe(Number.POSITIVE_INFINITY);
    expect(populationStabilityIndex([10, 0], [5, 5])).toBeLessThan(10);
  });
});

describe('permutation of counts', () => {
  const choose = (n: number, k: number): number =>
    k < 0 || k > n ? 0 : Array.from({ length: k }, (_, i) => (n - i) / (i + 1)).reduce((a, b) => a * b, 1);

  /** P(X² at least as large) over all windows of three bins, each as likely as the rows that make it. */
  const exactPValue = (baseline: readonly number[], window: readonly number[]): number => {
    const [a = 0, b = 0, c = 0] = baseline.map((count, i) => count + (window[i] ?? 0));
    const n = window.reduce((sum, count) => sum + count, 0);
    const limit = chiSquaredStatistic(baseline, window) * (1 - 1e-12);
    let extreme = 0;
    for (let x = 0; x <= Math.min(a, n); x++) {
      for (let y = 0; y <= Math.min(b, n - x); y++) {
        const drawn = [x, y, n - x - y];
        const rest = [a, b, c].map((count, i) => count - (drawn[i] ?? 0));
        if ((rest[2] ?? -1) < 0 || chiSquaredStatistic(rest, drawn) < limit) continue;
        extreme += choose(a, x) * choose(b, y) * choose(c, n - x - y);
      }
    }
    return extreme / choose(a + b + c, n);
  };

  it.each([
    { baseline: [30, 8, 2], window: [6, 6, 2] },
    { baseline: [12, 0, 7], window: [3, 2, 9] },
    { baseline: [100, 40, 9], window: [11, 12, 5] },
  ])('has the exact p-value on average: $baseline and $window', ({ baseline, window }) => {
    const seeds = Array.from({ length: 200 }, (_, seed) => seed);
    const estimates = seeds.map((seed) =>
      permuteCounts(baseline, window, chiSquaredOfMargins, createRandom(seed), 20_000),
    );
    const mean = estimates.reduce((sum, p) => sum + p, 0) / seeds.length;
    const exact = exactPValue(baseline, window);
    // Each stops at 20 exceedances: off by about a fifth, their mean by a seventieth, and a little too high.
    expect(Math.abs(mean / exact - 1)).toBeLessThan(0.1);
  });

  it('knows the statistic of fixed margins', () => {
    const pooled = [14, 0, 25, 61];
    const statistic = chiSquaredOfMargins(pooled, 30);
    for (const window of [
      [4, 0, 8, 18],
      [14, 0, 0, 16],
      [0, 0, 25, 5],
    ]) {
      const baseline = pooled.map((count, i) => count - (window[i] ?? 0));
      expectEqual(statistic(baseline, window), chiSquaredStatistic(baseline, window), 1e-12);
    }
  });
});
