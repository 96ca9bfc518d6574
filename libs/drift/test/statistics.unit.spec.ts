import { describe, expect, it } from 'vitest';
import {
  benjaminiHochberg,
  chiSquaredCritical,
  chiSquaredStatistic,
  chiSquaredSurvival,
  fisherExact,
  jensenShannonDistance,
  jensenShannonDivergence,
  kolmogorovSmirnov,
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
