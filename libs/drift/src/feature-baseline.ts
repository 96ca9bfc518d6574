import type { ColumnProfile } from '@millrace/tabular';
import { CategoricalSketch, type CategoricalSketchJson } from './categorical-sketch.ts';
import type { Counts } from './divergence.ts';
import { NumericSketch, type NumericSketchJson } from './numeric-sketch.ts';

export type FeatureSketch = NumericSketch | CategoricalSketch;
export type FeatureSketchJson = NumericSketchJson | CategoricalSketchJson;

/** Rows of a window kept for the exact Kolmogorov–Smirnov and Wasserstein statistics; 12 bytes each. */
export const defaultSampleCapacity = 2000;

/** Categories beyond the most frequent ones are compared as one. */
const maxCategories = 50;

/** Above this share of different values a text column names its rows rather than describing them. */
const maxDistinctShare = 0.5;

/** Why a column of the baseline cannot be compared; `undefined` when it can. */
export const notComparable = (column: ColumnProfile): string | undefined => {
  if (column.count === 0) return 'the baseline has no value';
  if (column.type === 'timestamp') return 'timestamps move by nature';
  if (column.numeric === undefined && column.categorical === undefined) return 'the baseline has no profile';
  if (column.type === 'string' && column.count > 20 && column.distinct > maxDistinctShare * column.count) {
    return 'almost every value is different: an identifier or free text';
  }
  return undefined;
};

/** An empty sketch to hold a window of this column. */
export const newSketch = (
  column: ColumnProfile,
  sampleCapacity: number = defaultSampleCapacity,
): FeatureSketch => {
  if (column.numeric !== undefined) return new NumericSketch(column.numeric.bins.edges, sampleCapacity);
  const categories = column.categorical?.top.slice(0, maxCategories).map(({ value }) => value) ?? [];
  return new CategoricalSketch(categories);
};

export const sketchFromJson = (json: FeatureSketchJson): FeatureSketch =>
  json.kind === 'numeric' ? NumericSketch.fromJSON(json) : CategoricalSketch.fromJSON(json);

/** Adds `from` to `into`; throws `Invalid` when they belong to different baselines. */
export const mergeSketch = (into: FeatureSketch, from: FeatureSketch): void => {
  if (into.kind === 'numeric' && from.kind === 'numeric') into.merge(from);
  else if (into.kind === 'categorical' && from.kind === 'categorical') into.merge(from);
  else throw new TypeError(`a ${into.kind} sketch cannot take a ${from.kind} one`);
};

/** Baseline and window counted over the same bins. Empty on both sides: left out. */
export interface AlignedCounts {
  readonly baseline: Counts;
  readonly window: Counts;
}

const dropEmpty = (baseline: readonly number[], window: readonly number[]): AlignedCounts => {
  const kept = baseline.map((count, i) => count > 0 || (window[i] ?? 0) > 0);
  return { baseline: baseline.filter((_, i) => kept[i]), window: window.filter((_, i) => kept[i]) };
};

const alignNumeric = (column: ColumnProfile, sketch: NumericSketch): AlignedCounts => {
  const bins = [...sketch.bins];
  const counts = column.numeric?.bins.counts ?? [];
  const { edges } = sketch;
  if (edges.length === 2 && edges[0] === edges[1]) {
    return dropEmpty([...counts, 0], [...bins, sketch.under + sketch.over]);
  }
  // The outer bins are open: what lies beyond the baseline's range counts with them.
  bins[0] = (bins[0] ?? 0) + sketch.under;
  bins[bins.length - 1] = (bins.at(-1) ?? 0) + sketch.over;
  return dropEmpty(counts, bins);
};

const alignCategorical = (column: ColumnProfile, sketch: CategoricalSketch): AlignedCounts => {
  const top = column.categorical?.top.map(({ count }) => count) ?? [];
  const known = top.slice(0, sketch.categories.length);
  const rest = column.count - known.reduce((sum, count) => sum + count, 0);
  return dropEmpty([...known, rest], [...sketch.counts, sketch.outside]);
};

export const alignCounts = (column: ColumnProfile, sketch: FeatureSketch): AlignedCounts =>
  sketch.kind === 'numeric' ? alignNumeric(column, sketch) : alignCategorical(column, sketch);
