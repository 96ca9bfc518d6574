import { describe, expect, it } from 'vitest';
import { createSearch, parseSearchSpace, type SearchAlgorithm, shouldStop } from '../src/index.ts';

const run = (
  algorithm: SearchAlgorithm,
  parameters: Record<string, unknown>,
  loss: (params: Record<string, unknown>) => number | undefined,
  options: {
    maxTrials: number;
    seed?: number;
    parallel?: number;
    earlyStop?: { patience: number; minDelta: number };
  },
) => {
  const search = createSearch({
    space: parseSearchSpace(parameters, 'tuning.parameters'),
    algorithm,
    seed: options.seed ?? 1,
    maxTrials: options.maxTrials,
    ...(options.earlyStop === undefined ? {} : { earlyStop: options.earlyStop }),
  });
  const tried: { params: Record<string, unknown>; loss: number | undefined }[] = [];
  for (
    let round = search.suggest(options.parallel ?? 1);
    round.length > 0;
    round = search.suggest(options.parallel ?? 1)
  ) {
    for (const { trial, params } of round) {
      tried[trial] = { params, loss: loss(params) };
      search.tell(trial, tried[trial].loss);
    }
  }
  return { tried, search, best: Math.min(...tried.map((trial) => trial.loss ?? Number.POSITIVE_INFINITY)) };
};

describe('a search', () => {
  it('over a grid tries every combination once, in order', () => {
    const { tried } = run('grid', { a: { values: [1, 2] }, b: { values: ['x', 'y', 'z'] } }, () => 0, {
      maxTrials: 100,
    });
    expect(tried.map(({ params }) => params)).toEqual([
      { a: 1, b: 'x' },
      { a: 1, b: 'y' },
      { a: 1, b: 'z' },
      { a: 2, b: 'x' },
      { a: 2, b: 'y' },
      { a: 2, b: 'z' },
    ]);
  });

  it('draws within the bounds of every distribution', () => {
    const parameters = {
      uniform: { distribution: 'uniform', low: -1, high: 1 },
      quniform: { distribution: 'quniform', low: 2, high: 9, q: 1 },
      loguniform: { distribution: 'loguniform', low: -3, high: 0 },
      randint: { distribution: 'randint', upper: 4 },
      choice: { distribution: 'choice', options: [true, false] },
      normal: { distribution: 'normal', mu: 10, sigma: 0.1 },
    };
    const { tried } = run('random', parameters, () => 0, { maxTrials: 300 });
    const of = (name: string) => tried.map(({ params }) => params[name] as number);
    expect(Math.min(...of('uniform'))).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...of('uniform'))).toBeLessThanOrEqual(1);
    expect([...new Set(of('quniform'))].sort()).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    expect(Math.min(...of('loguniform'))).toBeGreaterThanOrEqual(Math.exp(-3));
    expect(Math.max(...of('loguniform'))).toBeLessThanOrEqual(1);
    expect([...new Set(of('randint'))].sort()).toEqual([0, 1, 2, 3]);
    expect(new Set(of('choice')).size).toBe(2);
    expect(of('normal').reduce((a, b) => a + b) / 300).toBeCloseTo(10, 1);
  });

  it.each([
    [{ distribution: 'loguniform', low: 1, high: 800 }, 'tuning.parameters.x.high: exp(800) is too large'],
    [{ distribution: 'lognormal', mu: 1, sigma: 100 }, 'tuning.parameters.x.mu: exp(801) is too large'],
    [{ distribution: 'uniform', low: 2, high: 1 }, 'tuning.parameters.x.high: must be above low (2)'],
    [{ distribution: 'randint', low: 3, upper: 3 }, 'tuning.parameters.x.upper: must be above 3'],
  ])('refuses %j, naming the key', (x, message) => {
    expect(() => parseSearchSpace({ x }, 'tuning.parameters')).toThrow(message);
  });

  it('takes a range of whole numbers of any size', () => {
    const { tried } = run('random', { n: { distribution: 'randint', upper: 5e9 } }, () => 0, {
      maxTrials: 20,
    });
    for (const { params } of tried) expect(Number.isInteger(params.n)).toBe(true);
  });

  it('suggests the same for the same seed, and something else for another', () => {
    const space = { x: { distribution: 'uniform', low: 0, high: 1 } };
    const loss = ({ x }: Record<string, unknown>) => (x as number) ** 2;
    const params = (seed: number) => run('tpe', space, loss, { maxTrials: 30, seed }).tried;
    expect(params(5)).toEqual(params(5));
    expect(params(5)).not.toEqual(params(6));
  });

  it('by TPE finds better settings than random search on the Branin function, with failing trials between', () => {
    // Branin and Hoo (1972): three minima.
    const minimum = 0.397887;
    const branin = ({ x, y }: Record<string, unknown>): number | undefined => {
      const [a, b] = [x as number, y as number];
      if (a < -4.9) return undefined;
      const inner = b - (5.1 / (4 * Math.PI ** 2)) * a * a + (5 / Math.PI) * a - 6;
      return inner * inner + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(a) + 10;
    };
    const space = {
      x: { distribution: 'uniform', low: -5, high: 10 },
      y: { distribution: 'uniform', low: 0, high: 15 },
    };
    const seeds = Array.from({ length: 20 }, (_, seed) => seed);
    const meanRegret = (algorithm: SearchAlgorithm) =>
      seeds.reduce(
        (sum, seed) =>
          sum + run(algorithm, space, branin, { maxTrials: 60, seed, parallel: 4 }).best - minimum,
        0,
      ) / seeds.length;
    expect(meanRegret('tpe')).toBeLessThan(0.7 * meanRegret('random'));
  });

  it('ends early when nothing improves', () => {
    const { tried, search } = run('random', { x: { values: [1] } }, () => 3, {
      maxTrials: 100,
      earlyStop: { patience: 5, minDelta: 0 },
    });
    expect(tried).toHaveLength(6);
    expect(search.stoppedEarly).toBe(true);
  });

  it('refuses a grid over a distribution and a space that is wrong, naming the key', () => {
    const space = { x: { distribution: 'uniform', low: 0, high: 1 } };
    expect(() => run('grid', space, () => 0, { maxTrials: 1 })).toThrow(
      'tuning.parameters.x: a grid needs values',
    );
    expect(() => parseSearchSpace({ x: { distribution: 'gauss' } }, 'p')).toThrow(
      'p.x.distribution: "gauss"',
    );
    expect(() => parseSearchSpace({ x: { distribution: 'uniform', low: 2, high: 1 } }, 'p')).toThrow(
      'p.x.high',
    );
    expect(() => parseSearchSpace({ x: {} }, 'p')).toThrow('p.x');
  });

  it('gives up a trial that is worse than the median of the others', () => {
    const finished = [3, 2, 1].map((level) => Array<number>(10).fill(level));
    expect(shouldStop([5, 5, 5, 5, 5], finished)).toBe(true);
    expect(shouldStop([5, 5, 5, 5, 1.5], finished)).toBe(false);
    expect(shouldStop([5, 5, 5, 5, 5], finished.slice(1))).toBe(false);
  });
});
