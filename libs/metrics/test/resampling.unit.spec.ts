import { createRandom } from '@millrace/random';
import { describe, expect, it } from 'vitest';
import {
  bootstrapIntervals,
  metricsOf,
  type Observations,
  observe,
  pairedBootstrap,
  permutationImportance,
  TaskType,
  wilsonInterval,
} from '../src/index.ts';
import { agree, caseNamed, fixture, predictionOf, taskOf } from './fixture.ts';

const observationsOf = (task: TaskType, name = 'random'): Observations => {
  const given = caseNamed(task, name);
  return observe(taskOf(given), given.target, predictionOf(given), given.weights ?? undefined);
};
const { seed, resamples } = fixture.bootstrap;

describe('bootstrap intervals', () => {
  it.each([
    [TaskType.regression, fixture.bootstrap.regression],
    [TaskType.binary, fixture.bootstrap.binary],
  ] as const)('of %s are those of numpy and scikit-learn on the same resamples', (task, expected) => {
    const found = bootstrapIntervals(observationsOf(task), { seed, resamples });
    for (const [name, [low, high]] of Object.entries(expected)) {
      expect(agree(found[name]?.low, low) && agree(found[name]?.high, high), name).toBe(true);
    }
  });

  it('contain the value and are the same for the same seed', () => {
    const observations = observationsOf(TaskType.multiclass);
    const found = bootstrapIntervals(observations, { seed: 5 });
    expect(bootstrapIntervals(observations, { seed: 5 })).toEqual(found);
    expect(bootstrapIntervals(observations, { seed: 6 })).not.toEqual(found);
    const value = metricsOf(observations).accuracy_score!;
    expect(found.accuracy_score?.low).toBeLessThan(value);
    expect(found.accuracy_score?.high).toBeGreaterThan(value);
    expect(found.accuracy_score?.confidence).toBe(0.95);
  });

  it('cover the true value about as often as promised', () => {
    const random = createRandom(1);
    const target = new Float64Array(60);
    let covered = 0;
    for (let world = 0; world < 200; world++) {
      // Errors uniform on [0, 1): the true mean absolute error is 1/2.
      const values = target.map(() => random.uniform());
      const sample = observe({ type: TaskType.regression }, target, { kind: 'regression', values });
      const { low, high } = bootstrapIntervals(sample, { seed: world }).mean_absolute_error!;
      if (low <= 0.5 && 0.5 <= high) covered += 1;
    }
    // 190 promised; four standard deviations of a binomial are 12.
    expect(Math.abs(covered - 190)).toBeLessThanOrEqual(12);
  });

  it('are absent for a metric that most resamples do not define', () => {
    const lonely = observe({ type: TaskType.regression }, [1], { kind: 'regression', values: [2] });
    expect(bootstrapIntervals(lonely)).not.toHaveProperty('r2_score');
  });

  it.each([
    ['resamples', { resamples: 1 }],
    ['confidence', { confidence: 1 }],
    ['seed', { seed: -1 }],
  ])('refuse bad %s', (path, options) => {
    expect(() => bootstrapIntervals(observationsOf(TaskType.regression), options)).toThrow(path);
  });
});

describe('the paired bootstrap', () => {
  const given = caseNamed(TaskType.regression, 'random');
  const challenger = observationsOf(TaskType.regression);
  const champion = observe({ type: TaskType.regression }, given.target, {
    kind: 'regression',
    values: fixture.bootstrap.paired.champion,
  });

  it('is that of numpy and scikit-learn on the same resamples', () => {
    const found = pairedBootstrap(challenger, champion, { seed, resamples }).root_mean_squared_error;
    const [low, high] = fixture.bootstrap.paired.root_mean_squared_error;
    expect(agree(found?.interval?.low, low) && agree(found?.interval?.high, high)).toBe(true);
    expect(found?.value).toBeLessThan(0);
  });

  it('finds no difference between a model and itself', () => {
    for (const { value, interval } of Object.values(pairedBootstrap(champion, champion))) {
      expect([value, interval?.low ?? 0, interval?.high ?? 0]).toEqual([0, 0, 0]);
    }
  });

  it('refuses models that were not evaluated on the same rows', () => {
    const elsewhere = observe({ type: TaskType.regression }, given.target.toReversed(), {
      kind: 'regression',
      values: given.prediction,
    });
    expect(() => pairedBootstrap(challenger, elsewhere)).toThrow('champion');
    expect(() => pairedBootstrap(challenger, observationsOf(TaskType.binary))).toThrow('champion');
  });
});

describe('the Wilson interval', () => {
  it.each(fixture.wilson)(
    'of $successes in $trials is that of scipy',
    ({ successes, trials, lower, upper }) => {
      const { low, high } = wilsonInterval(successes, trials);
      expect(agree(low, lower, 1e-11) && agree(high, upper, 1e-11), `${low} … ${high}`).toBe(true);
    },
  );

  it('refuses what is no proportion', () => {
    for (const [successes, trials] of [
      [1, 0],
      [3, 2],
      [-1, 2],
    ] as const) {
      expect(() => wilsonInterval(successes, trials)).toThrow('no proportion');
    }
  });
});

describe('permutation importance', () => {
  const rows = Array.from({ length: 200 }, (_, row) => ({
    a: (row * 37) % 101,
    b: (row * 61) % 97,
    unused: row % 7,
  }));
  const target = rows.map(({ a, b }) => 3 * a + b);
  const score = (feature?: string, order?: Uint32Array) => {
    const at = (name: 'a' | 'b', row: number) => rows[name === feature ? order![row]! : row]![name];
    const values = rows.map((_, row) => 3 * at('a', row) + at('b', row));
    return metricsOf(observe({ type: TaskType.regression }, target, { kind: 'regression', values }))
      .mean_absolute_error!;
  };
  const options = { features: ['unused', 'b', 'a'], rowCount: rows.length, greaterIsBetter: false, score };

  it('orders the features by what the model relies on, an unused one at exactly 0', async () => {
    const found = await permutationImportance(options);
    expect(found.map(({ feature }) => feature)).toEqual(['a', 'b', 'unused']);
    expect(found[2]).toEqual({ feature: 'unused', mean: 0, standardDeviation: 0 });
  });

  it('gives a feature the same importance whichever others are asked for', async () => {
    const [alone] = await permutationImportance({ ...options, features: ['b'] });
    expect((await permutationImportance(options)).find(({ feature }) => feature === 'b')).toEqual(alone);
  });

  it('turns its sign with the direction of the metric', async () => {
    const [first] = await permutationImportance({ ...options, features: ['a'], greaterIsBetter: true });
    expect(first?.mean).toBeLessThan(0);
  });
});
