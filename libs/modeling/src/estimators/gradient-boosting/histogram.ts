import type { BinnedData } from './binning.ts';

/** Bins per column, the one for missing values included. */
export const binCount = 256;

/** Sums of gradients, Hessians and rows per bin, all columns one after the other. */
export interface Histogram {
  readonly gradients: Float64Array;
  readonly hessians: Float64Array;
  readonly counts: Uint32Array;
}

export const histogramOf = (
  data: BinnedData,
  rows: Uint32Array,
  gradients: Float32Array,
  hessians: Float32Array,
): Histogram => {
  const size = data.bins.length * binCount;
  const sums = {
    gradients: new Float64Array(size),
    hessians: new Float64Array(size),
    counts: new Uint32Array(size),
  };
  data.bins.forEach((bins, column) => {
    addColumn(sums, column * binCount, bins, rows, gradients, hessians);
  });
  return sums;
};

/** The hot loop: indices are in range by construction, so no element is checked for absence. */
const addColumn = (
  sums: Histogram,
  offset: number,
  bins: Uint8Array,
  rows: Uint32Array,
  gradients: Float32Array,
  hessians: Float32Array,
): void => {
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as number;
    const at = offset + (bins[row] as number);
    sums.gradients[at] = (sums.gradients[at] as number) + (gradients[row] as number);
    sums.hessians[at] = (sums.hessians[at] as number) + (hessians[row] as number);
    sums.counts[at] = (sums.counts[at] as number) + 1;
  }
};

/** The sibling's histogram: what the parent has more. */
export const subtract = (parent: Histogram, child: Histogram): Histogram => ({
  gradients: parent.gradients.map((value, at) => value - (child.gradients[at] as number)),
  hessians: parent.hessians.map((value, at) => value - (child.hessians[at] as number)),
  counts: parent.counts.map((value, at) => value - (child.counts[at] as number)),
});
