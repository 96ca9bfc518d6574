import type { ColumnProfile } from '@millrace/tabular';
import type { CategoricalSketch } from './categorical-sketch.ts';
import { type FeatureSketch, newSketch } from './feature-baseline.ts';
import type { NumericSketch } from './numeric-sketch.ts';

const binCount = 10;

/** Quantile bins over a sorted sample; a bin holds its lower edge, the last one also its upper. */
const quantileBins = (sample: Float64Array): { edges: number[]; counts: number[] } => {
  const at = (share: number): number => sample[Math.round(share * (sample.length - 1))] ?? 0;
  const edges = [...new Set(Array.from({ length: binCount + 1 }, (_, i) => at(i / binCount)))];
  if (edges.length === 1) edges.push(...edges);
  const counts = new Array<number>(edges.length - 1).fill(0);
  let bin = 0;
  for (const value of sample) {
    while (bin < counts.length - 1 && value >= (edges[bin + 1] ?? 0)) bin++;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { edges, counts };
};

/** From the sketch's sample, so `count` is the number of values kept. */
const numericProfile = (name: string, sketch: NumericSketch): ColumnProfile => {
  const sample = sketch.sample.sorted();
  const distinct = new Set(sample).size;
  const common = { name, type: 'number', count: sample.length, missing: sketch.missing } as const;
  const profile = { ...common, distinct, distinctApproximate: sample.length < sketch.count };
  if (sample.length === 0) return profile;
  return {
    ...profile,
    numeric: {
      min: sample[0] ?? 0,
      max: sample.at(-1) ?? 0,
      mean: sketch.mean,
      std: sketch.std,
      quantiles: { '0.5': sample[Math.round((sample.length - 1) / 2)] ?? 0 },
      bins: quantileBins(sample),
      sample: [...sample],
    },
  };
};

const categoricalProfile = (name: string, sketch: CategoricalSketch): ColumnProfile => {
  const known = sketch.categories.map((value, i) => ({ value, count: sketch.counts[i] ?? 0 }));
  const top = [...known, ...sketch.unseen()]
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
  const other = sketch.count - top.reduce((sum, { count }) => sum + count, 0);
  return {
    name,
    type: 'string',
    count: sketch.count,
    missing: sketch.missing,
    distinct: top.length + (other > 0 ? 1 : 0),
    distinctApproximate: other > 0,
    ...(sketch.count === 0 ? {} : { categorical: { top, other } }),
  };
};

/** Makes what a window saw the baseline of later windows, where no profile was made beforehand. */
export const profileOfSketch = (name: string, sketch: FeatureSketch): ColumnProfile =>
  sketch.kind === 'numeric' ? numericProfile(name, sketch) : categoricalProfile(name, sketch);

/**
 * The same values as a sketch over another baseline, from what the sketch kept: its sample, or the counts by
 * value. For a baseline that was not known yet when the values came.
 */
export const resketch = (sketch: FeatureSketch, column: ColumnProfile): FeatureSketch => {
  const again = newSketch(column, sketch.kind === 'numeric' ? sketch.sample.capacity : undefined);
  if (sketch.kind === 'numeric' && again.kind === 'numeric') {
    for (const { value, priority } of sketch.sample.entries()) again.add(value, priority);
  }
  if (sketch.kind === 'categorical' && again.kind === 'categorical') {
    sketch.categories.forEach((value, i) => {
      again.addTimes(value, sketch.counts[i] ?? 0);
    });
    for (const { value, count } of sketch.unseen()) again.addTimes(value, count);
  }
  again.missing = sketch.missing;
  again.invalid = sketch.invalid;
  return again;
};
