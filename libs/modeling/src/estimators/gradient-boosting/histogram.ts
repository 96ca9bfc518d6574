import { type BinnedData, missingBin } from './binning.ts';

/** Sums of gradients, Hessians and rows per bin, all columns one after the other; see `layoutOf`. */
export interface Histogram {
  readonly gradients: Float64Array;
  readonly hessians: Float64Array;
  readonly counts: Float64Array;
}

/** Where each column's bins begin; the one for missing values is its last. */
export interface Layout {
  readonly offsets: readonly number[];
  /** Of each column, without the one for missing values. */
  readonly bins: readonly number[];
  readonly size: number;
}

export const layoutOf = ({ thresholds }: BinnedData): Layout => {
  const bins = thresholds.map((column) => column.length + 1);
  const offsets: number[] = [];
  let size = 0;
  for (const count of bins) {
    offsets.push(size);
    size += count + 1;
  }
  return { offsets, bins, size };
};

export const histogramOf = (
  data: BinnedData,
  layout: Layout,
  rows: Uint32Array,
  gradients: Float32Array,
  hessians: Float32Array,
): Histogram => {
  const sums = {
    gradients: new Float64Array(layout.size),
    hessians: new Float64Array(layout.size),
    counts: new Float64Array(layout.size),
  };
  data.bins.forEach((bins, column) => {
    addColumn(
      sums,
      layout.offsets[column] as number,
      layout.bins[column] as number,
      bins,
      rows,
      gradients,
      hessians,
    );
  });
  return sums;
};

/** The hot loop: indices are in range by construction, so no element is checked for absence. */
const addColumn = (
  sums: Histogram,
  offset: number,
  missingAt: number,
  bins: Uint8Array,
  rows: Uint32Array,
  gradients: Float32Array,
  hessians: Float32Array,
): void => {
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as number;
    const bin = bins[row] as number;
    const at = offset + (bin === missingBin ? missingAt : bin);
    sums.gradients[at] = (sums.gradients[at] as number) + (gradients[row] as number);
    sums.hessians[at] = (sums.hessians[at] as number) + (hessians[row] as number);
    sums.counts[at] = (sums.counts[at] as number) + 1;
  }
};

/** The sibling's histogram: what the parent has more. */
export const subtract = (parent: Histogram, child: Histogram): Histogram => ({
  gradients: difference(parent.gradients, child.gradients),
  hessians: difference(parent.hessians, child.hessians),
  counts: difference(parent.counts, child.counts),
});

const difference = (a: Float64Array, b: Float64Array): Float64Array => {
  const result = new Float64Array(a.length);
  for (let at = 0; at < a.length; at += 1) result[at] = (a[at] as number) - (b[at] as number);
  return result;
};
