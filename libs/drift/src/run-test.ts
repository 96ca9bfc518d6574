import { createRandom } from '@millrace/random';
import type { ColumnProfile } from '@millrace/tabular';
import {
  type Counts,
  chiSquaredOfMargins,
  chiSquaredStatistic,
  jensenShannonDistance,
  populationStabilityIndex,
  totalVariation,
} from './divergence.ts';
import { type AlignedCounts, alignCounts, type FeatureSketch } from './feature-baseline.ts';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts';
import { permuteCounts, permuteSamples, type StatisticOfMargins } from './permutation.ts';
import { chiSquaredCritical, chiSquaredSurvival } from './special-functions.ts';
import { DriftTest } from './test-choice.ts';
import { wasserstein } from './wasserstein.ts';

export interface TestOutcome {
  readonly statistic: number;
  readonly pValue: number;
  readonly method: 'exact' | 'asymptotic' | 'permutation';
  /** Values compared: of the baseline and of the window. */
  readonly baselineCount: number;
  readonly windowCount: number;
  /**
   * The statistic at which the p-value reaches `level`, by the asymptotic distribution; `undefined` where none is
   * known.
   */
  critical(level: number): number | undefined;
}

/** More draws cannot change a verdict at the usual rates and would block the process. */
const maxDraws = 20_000;
const permutationBudget = 2_000_000;

/** Draws in which a p-value at the level of the verdict is expected to be exceeded this often. */
const exceedancesAtLevel = 4;

/**
 * Draws of a permutation test: at the least enough for a p-value well below `level`, the smallest one that a verdict can
 * ask for.
 */
const drawsFor = (level: number, affordable: number): number =>
  Math.min(maxDraws, Math.ceil(exceedancesAtLevel / level), Math.floor(affordable));

export interface PermutationSettings {
  readonly seed: number;
  /** The smallest p-value at which the verdict may turn. */
  readonly level: number;
}

const sum = (counts: Counts): number => Array.from(counts).reduce((total, count) => total + count, 0);

/** A statistic of two count vectors, and how its null distribution scales to χ² with B − 1 degrees of freedom. */
interface CountTest {
  readonly statistic: (baseline: Counts, window: Counts) => number;
  /** The same for the many draws of a permutation test, where it can be had for less. */
  readonly ofMargins?: StatisticOfMargins;
  /** Expected count per bin and sample from which χ² is close enough at the 0.1 % level (see README). */
  readonly minExpected: number;
  readonly toChiSquared: (statistic: number, spread: number) => number;
  readonly fromChiSquared: (chiSquared: number, spread: number) => number;
}

// With `spread` = 1/n + 1/m, all three are χ²(B − 1) for large samples: B. Yurdakul, dissertation, Western Michigan
// Univ. 2018 (PSI); M. Menéndez et al., J. Franklin Inst. 334B (1997) 307 (Jensen–Shannon).
const countTests: Partial<Record<DriftTest, CountTest>> = {
  [DriftTest.psi]: {
    statistic: populationStabilityIndex,
    minExpected: 20,
    toChiSquared: (psi, spread) => psi / spread,
    fromChiSquared: (chiSquared, spread) => chiSquared * spread,
  },
  [DriftTest.jensenShannon]: {
    statistic: jensenShannonDistance,
    minExpected: 50,
    toChiSquared: (distance, spread) => (8 * Math.LN2 * distance * distance) / spread,
    fromChiSquared: (chiSquared, spread) => Math.sqrt((chiSquared * spread) / (8 * Math.LN2)),
  },
  [DriftTest.chiSquared]: {
    statistic: chiSquaredStatistic,
    ofMargins: chiSquaredOfMargins,
    minExpected: 10,
    toChiSquared: (statistic) => statistic,
    fromChiSquared: (chiSquared) => chiSquared,
  },
};

const smallestExpected = ({ baseline, window }: AlignedCounts, n: number, m: number): number => {
  let smallest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < baseline.length; i++)
    smallest = Math.min(smallest, (baseline[i] ?? 0) + (window[i] ?? 0));
  return (smallest * Math.min(n, m)) / (n + m);
};

const runCountTest = (
  test: CountTest,
  counts: AlignedCounts,
  { seed, level }: PermutationSettings,
): TestOutcome => {
  const { baseline, window } = counts;
  const [m, n, degrees] = [sum(baseline), sum(window), baseline.length - 1];
  const spread = 1 / n + 1 / m;
  const statistic = test.statistic(baseline, window);
  const asymptotic = smallestExpected(counts, n, m) >= test.minExpected;
  const draws = drawsFor(level, permutationBudget / baseline.length);
  return {
    statistic,
    pValue: asymptotic
      ? chiSquaredSurvival(test.toChiSquared(statistic, spread), degrees)
      : permuteCounts(baseline, window, test.ofMargins ?? (() => test.statistic), createRandom(seed), draws),
    method: asymptotic ? 'asymptotic' : 'permutation',
    baselineCount: m,
    windowCount: n,
    critical: (level) => test.fromChiSquared(chiSquaredCritical(level, degrees), spread),
  };
};

const runTotalVariation = (
  { baseline, window }: AlignedCounts,
  { seed, level }: PermutationSettings,
): TestOutcome => ({
  statistic: totalVariation(baseline, window),
  pValue: permuteCounts(
    baseline,
    window,
    () => totalVariation,
    createRandom(seed),
    drawsFor(level, permutationBudget / baseline.length),
  ),
  method: 'permutation',
  baselineCount: sum(baseline),
  windowCount: sum(window),
  critical: () => undefined,
});

/** Outside of these p-values the exact one cannot change a verdict, and for larger samples it costs ten times as much. */
const clearlyClean = 0.2;
const clearlyDrifted = 1e-9;
const largeProduct = 250_000;

const kolmogorovSmirnovOf = (baseline: Float64Array, window: Float64Array) => {
  if (baseline.length * window.length < largeProduct) return kolmogorovSmirnov(baseline, window);
  const quick = kolmogorovSmirnov(baseline, window, 'asymptotic');
  const { pValue } = quick;
  return pValue > clearlyClean || pValue < clearlyDrifted ? quick : kolmogorovSmirnov(baseline, window);
};

const runKolmogorovSmirnov = (baseline: Float64Array, window: Float64Array): TestOutcome => ({
  ...kolmogorovSmirnovOf(baseline, window),
  baselineCount: baseline.length,
  windowCount: window.length,
  critical: (level) => Math.sqrt((-Math.log(level / 2) / 2) * (1 / window.length + 1 / baseline.length)),
});

/** The distance in units of the baseline's standard deviation (1 when that is 0). */
const runWasserstein = (
  baseline: Float64Array,
  window: Float64Array,
  std: number,
  { seed, level }: PermutationSettings,
): TestOutcome => {
  const unit = std > 0 ? std : 1;
  const draws = drawsFor(level, (20 * permutationBudget) / (baseline.length + window.length));
  return {
    statistic: wasserstein(baseline, window) / unit,
    pValue: permuteSamples(baseline, window, wasserstein, createRandom(seed), draws),
    method: 'permutation',
    baselineCount: baseline.length,
    windowCount: window.length,
    critical: () => undefined,
  };
};

/**
 * Runs one test of a feature's window against its baseline. Returns `undefined` when the data cannot tell
 * anything apart (a single value on both sides) or the test does not fit the feature's type.
 */
export const runTest = (
  test: DriftTest,
  column: ColumnProfile,
  sketch: FeatureSketch,
  permutation: PermutationSettings,
): TestOutcome | undefined => {
  const counts = alignCounts(column, sketch);
  const countTest = countTests[test];
  if (countTest !== undefined || test === DriftTest.totalVariation) {
    if (counts.baseline.length < 2) return undefined;
    return countTest === undefined
      ? runTotalVariation(counts, permutation)
      : runCountTest(countTest, counts, permutation);
  }
  if (sketch.kind !== 'numeric' || column.numeric === undefined) return undefined;
  const [baseline, window] = [Float64Array.from(column.numeric.sample), sketch.sample.sorted()];
  return test === DriftTest.wasserstein
    ? runWasserstein(baseline, window, column.numeric.std, permutation)
    : runKolmogorovSmirnov(baseline, window);
};
