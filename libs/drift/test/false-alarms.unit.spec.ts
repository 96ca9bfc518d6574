import { createRandom, type Random } from '@millrace/random';
import type { ColumnProfile } from '@millrace/tabular';
import { describe, expect, it } from 'vitest';
import {
  type CompareOptions,
  compareWindow,
  type DriftReport,
  newSketch,
  rowPriority,
} from '../src/index.ts';
import { profileNumbers, profileTexts } from './profile.ts';

type Value = number | string | null;
type Generator = (random: Random) => Value;

const normal = (random: Random): number => random.normal();

const letters = [...'aaaaaabbbbcccdde'];
const generators: Readonly<Record<string, Generator>> = {
  normal,
  skewed: (random) => Math.exp(normal(random)),
  sparse: (random) => (random.uniform() < 0.2 ? null : normal(random)),
  steps: (random) => Math.floor(random.uniform() * 5),
  letters: (random) => letters[Math.floor(random.uniform() * letters.length)] ?? 'a',
  gaps: (random) => (random.uniform() < 0.1 ? null : random.uniform() < 0.3 ? 'no' : 'yes'),
};

const profileOf = (name: string, values: readonly Value[]): ColumnProfile =>
  values.some((value) => typeof value === 'string')
    ? profileTexts(name, values as (string | null)[])
    : profileNumbers(name, values as (number | null)[]);

const draw = (generator: Generator, count: number, random: Random): Value[] =>
  Array.from({ length: count }, () => generator(random));

const compare = (
  random: Random,
  sizes: { baseline: number; window: number },
  options: CompareOptions,
  shifted: Partial<typeof generators> = {},
): DriftReport =>
  compareWindow(
    Object.entries(generators).map(([name, generator]) => {
      const baseline = profileOf(name, draw(generator, sizes.baseline, random));
      const sketch = newSketch(baseline);
      draw(shifted[name] ?? generator, sizes.window, random).forEach((value, i) => {
        sketch.add(value, rowPriority(String(i), 1));
      });
      return { name, baseline, sketch };
    }),
    options,
  );

/** Half the width of the 99.9 % interval of a measured rate. */
const margin = (rate: number, windows: number): number => 3.29 * Math.sqrt((rate * (1 - rate)) / windows);

describe('clean windows alarm with the set rate', () => {
  it.each([
    { window: 60, rate: 0.05, windows: 600 },
    { window: 200, rate: 0.05, windows: 600 },
    { window: 1000, rate: 0.05, windows: 300 },
    { window: 3000, rate: 0.05, windows: 200 },
    { window: 200, rate: 0.01, windows: 600 },
  ])('of $rate at $window rows', { timeout: 120_000 }, ({ window, rate, windows }) => {
    const random = createRandom(window + windows);
    let alarms = 0;
    for (let i = 0; i < windows; i++) {
      // No floor on the effect, which would hide how the tests themselves are calibrated.
      const options = { falseAlarmRate: rate, minEffect: 0, minMissingChange: 0, seed: i };
      if (compare(random, { baseline: 1000, window }, options).drifted) alarms++;
    }
    expect(Math.abs(alarms / windows - rate)).toBeLessThanOrEqual(margin(rate, windows));
  });

  it('and hardly ever with the default floor on the effect', { timeout: 60_000 }, () => {
    const random = createRandom(5);
    const reports = Array.from({ length: 100 }, () => compare(random, { baseline: 2000, window: 1000 }, {}));
    expect(reports.filter(({ drifted }) => drifted).length).toBe(0);
  });
});

describe('a shift', () => {
  it.each([100, 500, 3000])('is found in its feature alone at %i rows', (window) => {
    const report = compare(
      createRandom(window),
      { baseline: 2000, window },
      {},
      {
        skewed: (random) => Math.exp(normal(random) + 1),
      },
    );
    expect(report.results.filter(({ drifted }) => drifted).map(({ feature }) => feature)).toEqual(['skewed']);
  });

  it('of categories, of missing values and to an unseen value is found', () => {
    const report = compare(
      createRandom(3),
      { baseline: 2000, window: 400 },
      {},
      {
        letters: (random) => (random.uniform() < 0.3 ? 'z' : 'a'),
        gaps: (random) => (random.uniform() < 0.4 ? null : random.uniform() < 0.3 ? 'no' : 'yes'),
      },
    );
    const drifted = report.results.filter((result) => result.drifted);
    expect(drifted.map(({ feature, test }) => `${feature} ${test}`)).toEqual([
      'letters chi_squared',
      'gaps missing_rate',
    ]);
  });

  it('too small to matter does not alarm, however many rows prove it', () => {
    const report = compare(
      createRandom(4),
      { baseline: 20_000, window: 20_000 },
      {},
      {
        normal: (random) => normal(random) + 0.08,
      },
    );
    const result = report.results.find(({ feature }) => feature === 'normal');
    expect(result?.adjustedPValue).toBeLessThan(0.001);
    expect(result?.drifted).toBe(false);
    expect(result?.reason).toContain('too small to matter');
  });
});

describe('what cannot be judged', () => {
  it('is left out with its reason', () => {
    const few = profileNumbers('few', [1, 2, 3]);
    const ids = profileTexts(
      'ids',
      Array.from({ length: 100 }, (_, i) => `id-${i}`),
    );
    const report = compareWindow(
      [few, ids].map((baseline) => ({ name: baseline.name, baseline, sketch: newSketch(baseline) })),
    );
    expect(report.results).toEqual([]);
    expect(report.skipped.map(({ reason }) => reason)).toEqual([
      '0 values, fewer than 50',
      'almost every value is different: an identifier or free text',
    ]);
  });

  it('includes a constant that stays constant, not one that changes', () => {
    const baseline = profileNumbers('constant', new Array(500).fill(3));
    const [same, changed] = [newSketch(baseline), newSketch(baseline)];
    for (let i = 0; i < 100; i++) {
      same.add(3, i);
      changed.add(i % 2 === 0 ? 3 : 4, i);
    }
    expect(compareWindow([{ name: 'constant', baseline, sketch: same }]).results).toEqual([]);
    expect(compareWindow([{ name: 'constant', baseline, sketch: changed }]).drifted).toBe(true);
  });

  it.each(['psi', 'jensen_shannon', 'wasserstein', 'total_variation', 'kolmogorov_smirnov'] as const)(
    'can be judged by %s when asked for',
    (test) => {
      const report = compare(
        createRandom(6),
        { baseline: 2000, window: 300 },
        { tests: [test] },
        {
          normal: (random) => normal(random) * 2,
        },
      );
      const result = report.results.find(({ feature }) => feature === 'normal');
      expect(result).toMatchObject({ test, drifted: true });
    },
  );
});
