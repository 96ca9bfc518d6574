import { Invalid } from '@millrace/errors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CategoricalSketch,
  compareWindow,
  maxNamedUnseen,
  NumericSketch,
  newSketch,
  profileOfSketch,
  resketch,
  rowPriority,
} from '../src/index.ts';

type Row = readonly [id: number, value: number | null];

const edges = [0, 1, 2, 5, 10];
const capacity = 8;
const rows = fc.uniqueArray(
  fc.tuple(
    fc.nat(10_000),
    fc.oneof(fc.constant(null), fc.double({ min: -5, max: 15, noNaN: true, noDefaultInfinity: true })),
  ),
  { selector: ([id]) => id, maxLength: 60 },
);

const numericOf = (part: readonly Row[]): NumericSketch => {
  const sketch = new NumericSketch(edges, capacity);
  for (const [id, value] of part) sketch.add(value, rowPriority(String(id), 42));
  return sketch;
};

const withoutMoments = (sketch: NumericSketch): object => {
  const { mean: _mean, m2: _m2, ...rest } = sketch.toJSON();
  return rest;
};

const expectSame = (a: NumericSketch, b: NumericSketch): void => {
  expect(withoutMoments(a)).toEqual(withoutMoments(b));
  expect(Math.abs(a.mean - b.mean)).toBeLessThanOrEqual(1e-9);
  expect(Math.abs(a.m2 - b.m2)).toBeLessThanOrEqual(1e-7);
};

describe('a numeric sketch', () => {
  it('is the same however the rows are divided, merged and ordered', () => {
    fc.assert(
      fc.property(rows, fc.nat(60), fc.nat(60), (all, first, second) => {
        const [cut, end] = [Math.min(first, second), Math.max(first, second)];
        const parts = [all.slice(0, cut), all.slice(cut, end), all.slice(end)] as const;
        const [left, bc] = [numericOf(parts[0]), numericOf(parts[1])];
        left.merge(numericOf(parts[1]));
        left.merge(numericOf(parts[2]));
        bc.merge(numericOf(parts[2]));
        const right = numericOf(parts[0]);
        right.merge(bc);
        expectSame(left, right);
        expectSame(left, numericOf([...all].reverse()));
      }),
      { seed: 42 },
    );
  });

  it('goes through JSON unchanged', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const sketch = numericOf(all);
        const copy = NumericSketch.fromJSON(JSON.parse(JSON.stringify(sketch)));
        expect(copy.toJSON()).toEqual(sketch.toJSON());
      }),
      { seed: 42 },
    );
  });

  it('tells missing, invalid and out-of-range values apart', () => {
    const sketch = new NumericSketch(edges, capacity);
    for (const value of [null, undefined, 'x', Number.NaN, -1, 11, 10, 0, 1.5]) sketch.add(value, 1);
    const { count, missing, invalid, under, over, bins } = sketch;
    expect({ count, missing, invalid, under, over }).toEqual({
      count: 5,
      missing: 2,
      invalid: 2,
      under: 1,
      over: 1,
    });
    expect([...bins]).toEqual([1, 1, 0, 1]);
  });

  it('keeps a uniform sample within its capacity', () => {
    const sketch = new NumericSketch([0, 1], 500);
    for (let i = 0; i < 20_000; i++) sketch.add(i / 20_000, rowPriority(`row-${i}`, 1));
    const sample = sketch.sample.sorted();
    expect(sample.length).toBe(500);
    const mean = sample.reduce((sum, value) => sum + value, 0) / 500;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.04);
  });

  it('refuses another baseline’s edges', () => {
    expect(() => numericOf([]).merge(new NumericSketch([0, 1], capacity))).toThrow(Invalid);
  });
});

describe('a categorical sketch', () => {
  const values = fc.array(fc.oneof(fc.constantFrom('a', 'b', null), fc.nat(300).map(String)), {
    maxLength: 400,
  });
  const sketchOf = (part: readonly (string | null)[]): CategoricalSketch => {
    const sketch = new CategoricalSketch(['a', 'b']);
    for (const value of part) sketch.add(value);
    return sketch;
  };

  it('is the same however the values are divided and ordered, with bounded names of unseen values', () => {
    fc.assert(
      fc.property(values, fc.nat(400), (all, cut) => {
        const merged = sketchOf(all.slice(0, cut));
        merged.merge(sketchOf(all.slice(cut)));
        expect(merged.toJSON()).toEqual(sketchOf([...all].reverse()).toJSON());
        expect(merged.unseen().length).toBeLessThanOrEqual(maxNamedUnseen);
        expect(CategoricalSketch.fromJSON(JSON.parse(JSON.stringify(merged))).toJSON()).toEqual(
          merged.toJSON(),
        );
      }),
      { seed: 42 },
    );
  });

  it('names unseen values, the most frequent first', () => {
    expect(sketchOf(['a', 'x', 'y', 'x', '__proto__']).unseen()[0]).toEqual({ value: 'x', count: 2 });
  });
});

describe('the profile of a sketch', () => {
  it('is a baseline that the same data does not drift from and other data does', () => {
    const first = new NumericSketch([0, 0], 2000);
    for (let i = 0; i < 500; i++) first.add((i * 37) % 101, rowPriority(`row-${i}`, 1));
    const baseline = profileOfSketch('prediction', first);
    expect(resketch(first, baseline).toJSON()).toMatchObject({ bins: baseline.numeric?.bins.counts });
    const [same, other] = [newSketch(baseline), newSketch(baseline)];
    for (let i = 0; i < 500; i++) {
      same.add((i * 53) % 101, i);
      other.add((i * 53) % 51, i);
    }
    expect(compareWindow([{ name: 'prediction', baseline, sketch: same }]).drifted).toBe(false);
    expect(compareWindow([{ name: 'prediction', baseline, sketch: other }]).drifted).toBe(true);
  });

  it('counts the categories it was not told of beforehand', () => {
    const sketch = new CategoricalSketch([]);
    for (const value of ['no', 'yes', 'no', null]) sketch.add(value);
    expect(profileOfSketch('prediction', sketch)).toMatchObject({
      count: 3,
      missing: 1,
      categorical: {
        top: [
          { value: 'no', count: 2 },
          { value: 'yes', count: 1 },
        ],
        other: 0,
      },
    });
  });
});

it('a sample does not depend on the order of rows that share a priority', () => {
  const values = [
    [3, 7],
    [1, 7],
    [2, 5],
    [9, 7],
    [8, 5],
  ] as const;
  const sampleOf = (order: readonly (readonly [number, number])[]) => {
    const sketch = new NumericSketch(edges, 3);
    for (const [value, priority] of order) sketch.add(value, priority);
    return sketch.toJSON().sample;
  };
  expect(sampleOf(values)).toEqual(sampleOf([...values].reverse()));
  expect(sampleOf(values)).toEqual(sampleOf([...values].sort()));
});
