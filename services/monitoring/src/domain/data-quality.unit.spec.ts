import { CategoricalSketch, NumericSketch, newSketch, profileOfSketch } from '@millrace/drift';
import { createRandom } from '@millrace/random';
import type { ColumnProfile } from '@millrace/tabular';
import { describe, expect, it } from 'vitest';
import { findDefects } from './data-quality.ts';
import { addLatency, type LatencyHistogram, latencyQuantile, mergeLatencies } from './latency-histogram.ts';

const numbers = (values: readonly number[]): ColumnProfile => {
  const sketch = new NumericSketch([0, 0], values.length);
  values.forEach((value, i) => {
    sketch.add(value, i);
  });
  return profileOfSketch('x', sketch);
};

const defects = (column: ColumnProfile, values: readonly unknown[], level = 0.01): readonly string[] => {
  const sketch = newSketch(column);
  values.forEach((value, i) => {
    if (sketch.kind === 'numeric') sketch.add(value, i);
    else sketch.add(value);
  });
  return findDefects('x', column, sketch, level);
};

describe('values outside the baseline', () => {
  it('are found when there are more than chance explains', () => {
    const random = createRandom(1);
    const column = numbers(Array.from({ length: 2000 }, random.uniform));
    expect(defects(column, [...Array.from({ length: 300 }, random.uniform), 1.5])).toEqual([]);
    expect(defects(column, [...Array.from({ length: 300 }, random.uniform), 2, 2, 2, 2])).toEqual([
      expect.stringContaining('4 values (1.3 %) outside'),
    ]);
  });

  it('are hardly ever found in clean data', () => {
    const random = createRandom(2);
    let found = 0;
    for (let i = 0; i < 500; i++) {
      const column = numbers(Array.from({ length: 500 }, random.uniform));
      if (defects(column, Array.from({ length: 500 }, random.uniform)).length > 0) found++;
    }
    expect(found).toBeLessThanOrEqual(500 * 0.01 + 3 * Math.sqrt(500 * 0.01));
  });

  it('among categories allow for rare ones that the baseline missed', () => {
    const sketch = new CategoricalSketch([]);
    for (let i = 0; i < 1000; i++) sketch.add(i < 40 ? `rare-${i}` : 'common');
    const column = profileOfSketch('x', sketch);
    const window = Array.from({ length: 500 }, (_, i) => (i < 15 ? `new-${i}` : 'common'));
    expect(defects(column, window)).toEqual([]);
    expect(defects(column, [...window, ...new Array(40).fill('other')])).toEqual([
      expect.stringContaining('"other"'),
    ]);
  });

  it('of the wrong type always count', () => {
    expect(defects(numbers([1, 2, 3]), [1, 'two'])).toEqual([
      'x: 1 values of the wrong type (number expected)',
    ]);
  });
});

describe('latencies', () => {
  it('keep their quantiles within 1 %, merged or not', () => {
    const random = createRandom(3);
    const values = Array.from({ length: 5000 }, () => Math.exp(6 * random.uniform()));
    const [whole, first, second]: LatencyHistogram[] = [{}, {}, {}];
    values.forEach((value, i) => {
      addLatency(whole ?? {}, value);
      addLatency((i % 2 === 0 ? first : second) ?? {}, value);
    });
    mergeLatencies(first ?? {}, second ?? {});
    expect(first).toEqual(whole);
    const sorted = values.toSorted((a, b) => a - b);
    for (const share of [0.5, 0.95, 0.99]) {
      const exact = sorted[Math.ceil(share * 5000) - 1] ?? 0;
      expect(Math.abs(latencyQuantile(whole ?? {}, share) / exact - 1)).toBeLessThanOrEqual(0.0101);
    }
    expect(latencyQuantile({}, 0.5)).toBe(0);
  });
});
