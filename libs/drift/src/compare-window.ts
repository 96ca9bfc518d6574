import { Invalid } from '@millrace/errors';
import { hashText } from '@millrace/random';
import type { ColumnProfile } from '@millrace/tabular';
import { benjaminiHochberg } from './benjamini-hochberg.ts';
import { populationStabilityIndex } from './divergence.ts';
import { alignCounts, type FeatureSketch, notComparable } from './feature-baseline.ts';
import { compareProportions } from './proportion-test.ts';
import { runTest, type TestOutcome } from './run-test.ts';
import { normalTwoSided } from './special-functions.ts';
import { chooseTest, type DriftTest, type TestChoice } from './test-choice.ts';

export interface CompareOptions {
  /** Chance that a window without drift alarms, over all tests together; default 0.01. */
  readonly falseAlarmRate?: number;
  /** Smallest PSI that counts as drift, however many rows there are; default 0.1. */
  readonly minEffect?: number;
  /** Smallest change of a missing rate that counts, as a share; default 0.01. */
  readonly minMissingChange?: number;
  /** A feature with fewer values in the window or in the baseline is not tested; default 50. */
  readonly minSamples?: number;
  /** Of the permutation tests; default 42. */
  readonly seed?: number;
  /**
   * Run each of these that fits a feature's type, instead of the default of its type and size; `missing_rate`
   * runs only when listed.
   */
  readonly tests?: readonly DriftResult['test'][];
}

export interface FeatureWindow {
  readonly name: string;
  readonly baseline: ColumnProfile;
  readonly sketch: FeatureSketch;
}

export interface DriftResult {
  readonly feature: string;
  readonly test: DriftTest | 'missing_rate';
  readonly statistic: number;
  readonly pValue: number;
  /** The p-value after Benjamini & Hochberg's correction over all tests of the window. */
  readonly adjustedPValue: number;
  /**
   * The statistic at which the corrected test rejects at these sample sizes, by its asymptotic distribution; the
   * p-value's own bound where none is known. The verdict itself is by p-value and effect.
   */
  readonly threshold: number;
  readonly method: TestOutcome['method'];
  readonly drifted: boolean;
  readonly baselineCount: number;
  readonly windowCount: number;
  /** Why this test, and what kept a significant result from counting. */
  readonly reason: string;
  /** Population stability index of the values; of missing against present for `missing_rate`. */
  readonly psi: number;
}

export interface DriftReport {
  readonly falseAlarmRate: number;
  readonly results: readonly DriftResult[];
  /** Features that were not tested, and why. */
  readonly skipped: readonly { readonly feature: string; readonly reason: string }[];
  readonly drifted: boolean;
}

interface Tested {
  readonly feature: string;
  readonly test: DriftResult['test'];
  readonly outcome: TestOutcome;
  readonly psi: number;
  /** Whether the change is large enough to matter. */
  readonly matters: boolean;
  readonly reason: string;
}

type Settings = Required<Omit<CompareOptions, 'tests'>> & Pick<CompareOptions, 'tests'>;

const resolveSettings = (options: CompareOptions): Settings => {
  const rate = options.falseAlarmRate ?? 0.01;
  if (!(rate > 0 && rate < 1)) throw Invalid.field('falseAlarmRate', `must lie between 0 and 1, got ${rate}`);
  return {
    falseAlarmRate: rate,
    minEffect: options.minEffect ?? 0.1,
    minMissingChange: options.minMissingChange ?? 0.01,
    minSamples: options.minSamples ?? 50,
    seed: options.seed ?? 42,
    ...(options.tests === undefined ? {} : { tests: options.tests }),
  };
};

const choicesFor = ({ baseline, sketch }: FeatureWindow, { tests }: Settings): readonly TestChoice[] =>
  tests === undefined
    ? [chooseTest(baseline, sketch)]
    : tests.flatMap((test) => (test === 'missing_rate' ? [] : [{ test, reason: 'asked for' }]));

/** Why a feature is not tested; `undefined` when it is. */
const untestable = ({ baseline, sketch }: FeatureWindow, { minSamples }: Settings): string | undefined => {
  const unfit = notComparable(baseline);
  if (unfit !== undefined) return unfit;
  const fewest = Math.min(sketch.count, baseline.count);
  return fewest < minSamples ? `${fewest} values, fewer than ${minSamples}` : undefined;
};

/** What is to be tested of one feature. */
interface Planned {
  readonly feature: FeatureWindow;
  readonly choices: readonly TestChoice[];
  /** Why there are no choices. */
  readonly skipped: string | undefined;
  readonly missing: Tested | undefined;
}

const planTests = (feature: FeatureWindow, settings: Settings): Planned => {
  const skipped = untestable(feature, settings);
  return {
    feature,
    choices: skipped === undefined ? choicesFor(feature, settings) : [],
    skipped,
    missing: testMissing(feature, settings),
  };
};

const countTests = (planned: readonly Planned[]): number =>
  planned.reduce((sum, { choices, missing }) => sum + choices.length + (missing === undefined ? 0 : 1), 0);

/** The results of the feature's tests, or why there is none. */
const testValues = (
  { feature, choices, skipped }: Planned,
  settings: Settings,
  level: number,
): readonly Tested[] | string => {
  if (skipped !== undefined) return skipped;
  const { name, baseline, sketch } = feature;
  const counts = alignCounts(baseline, sketch);
  const psi = populationStabilityIndex(counts.baseline, counts.window);
  const matters = psi >= settings.minEffect;
  const permutation = { seed: hashText(name, settings.seed), level };
  const tested = choices.flatMap(({ test, reason }) => {
    const outcome = runTest(test, baseline, sketch, permutation);
    return outcome === undefined ? [] : [{ feature: name, test, outcome, psi, matters, reason }];
  });
  return tested.length > 0 ? tested : 'no test fits, or window and baseline hold the same single value';
};

/** The change of share at which the z test's p-value reaches `level`. */
const criticalChange = (level: number, pooled: number, n: number, m: number): number => {
  let [low, high] = [0, 40];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalTwoSided(middle) > level) low = middle;
    else high = middle;
  }
  return high * Math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m));
};

/** `undefined` where nothing is missing on either side: such a test can never reject, and would only weaken the rest. */
const testMissing = ({ name, baseline, sketch }: FeatureWindow, settings: Settings): Tested | undefined => {
  if (settings.tests?.includes('missing_rate') === false) return undefined;
  const [n, m] = [sketch.count + sketch.invalid + sketch.missing, baseline.count + baseline.missing];
  const missing = sketch.missing + baseline.missing;
  if (Math.min(n, m) < settings.minSamples || missing === 0 || missing === n + m) return undefined;
  const { difference, pValue, method } = compareProportions(sketch.missing, n, baseline.missing, m);
  return {
    feature: name,
    test: 'missing_rate',
    outcome: {
      statistic: difference,
      pValue,
      method,
      baselineCount: m,
      windowCount: n,
      critical: (level) => criticalChange(level, missing / (n + m), n, m),
    },
    psi: populationStabilityIndex(
      [m - baseline.missing, baseline.missing],
      [n - sketch.missing, sketch.missing],
    ),
    matters: Math.abs(difference) >= settings.minMissingChange,
    reason: method === 'exact' ? 'few missing values: Fisher’s exact test' : 'two-proportion z test',
  };
};

const judge = (tested: readonly Tested[], rate: number): DriftResult[] => {
  const adjusted = benjaminiHochberg(tested.map(({ outcome }) => outcome.pValue));
  const rejected = adjusted.filter((p) => p <= rate).length;
  const level = (rate * Math.max(1, rejected)) / Math.max(1, tested.length);
  return tested.map(({ feature, test, outcome, psi, matters, reason }, i) => {
    const significant = (adjusted[i] ?? 1) <= rate;
    return {
      feature,
      test,
      statistic: outcome.statistic,
      pValue: outcome.pValue,
      adjustedPValue: adjusted[i] ?? 1,
      threshold: outcome.critical(level) ?? level,
      method: outcome.method,
      drifted: significant && matters,
      baselineCount: outcome.baselineCount,
      windowCount: outcome.windowCount,
      reason: significant && !matters ? `${reason}; significant, but too small to matter` : reason,
      psi,
    };
  });
};

/**
 * Compares a window with its baseline: one test per feature (the default by type and size, or the one asked for)
 * and one of its missing rate, all corrected together so that a window without drift alarms with the set rate.
 * The rate holds on average over baselines: a baseline is itself a sample, and one much smaller than the windows
 * compared with it is wrong in the same way each time.
 */
export const compareWindow = (
  features: readonly FeatureWindow[],
  options: CompareOptions = {},
): DriftReport => {
  const settings = resolveSettings(options);
  const tested: Tested[] = [];
  const skipped: { feature: string; reason: string }[] = [];
  const planned = features.map((feature) => planTests(feature, settings));
  // A single feature that drifts is found at this p-value, more of them at higher ones.
  const level = settings.falseAlarmRate / Math.max(1, countTests(planned));
  for (const plan of planned) {
    const values = testValues(plan, settings, level);
    if (typeof values === 'string') skipped.push({ feature: plan.feature.name, reason: values });
    else tested.push(...values);
    if (plan.missing !== undefined) tested.push(plan.missing);
  }
  const results = judge(tested, settings.falseAlarmRate);
  return {
    falseAlarmRate: settings.falseAlarmRate,
    results,
    skipped,
    drifted: results.some(({ drifted }) => drifted),
  };
};
