import type { BinnedData } from './binning.ts';
import type { Histogram, Layout } from './histogram.ts';

export interface Sums {
  readonly gradient: number;
  readonly hessian: number;
  readonly count: number;
}

export interface SplitRules {
  readonly minSamplesLeaf: number;
  readonly l2: number;
}

/** The best way to divide a node: bins up to `bin` go left. */
export interface Split {
  readonly column: number;
  readonly bin: number;
  readonly missingLeft: boolean;
  readonly gain: number;
  readonly left: Sums;
  readonly right: Sums;
}

/** Least sum of Hessians in a leaf. */
const leastHessian = 1e-3;
const tiny = 1e-15;

const newtonStep = (gradient: number, hessian: number, l2: number): number =>
  -gradient / (hessian + l2 + tiny);

/** Newton's step for a leaf, not yet shrunk. */
export const leafValue = ({ gradient, hessian }: Sums, l2: number): number =>
  newtonStep(gradient, hessian, l2);

/** The split of the largest gain over the given columns, if any gains. The first column wins a tie. */
export const findSplit = (
  data: BinnedData,
  layout: Layout,
  columns: readonly number[],
  histogram: Histogram,
  node: Sums,
  rules: SplitRules,
): Split | undefined => {
  let best: Split | undefined;
  for (const column of columns) {
    const hasMissing = data.hasMissing[column] === true;
    // Missing values to the right first; with them there, even all others may go left.
    const scans: (boolean | undefined)[] = hasMissing ? [false, true] : [undefined];
    for (const missingLeft of scans) {
      best = scan(layout, column, missingLeft, histogram, node, rules, best);
    }
  }
  return best;
};

/** Moves bins from right to left one by one; returns the better of the best found and `best`. Allocates nothing else. */
const scan = (
  layout: Layout,
  column: number,
  missingLeft: boolean | undefined,
  { gradients, hessians, counts }: Histogram,
  node: Sums,
  { minSamplesLeaf, l2 }: SplitRules,
  best: Split | undefined,
): Split | undefined => {
  const offset = layout.offsets[column] as number;
  const bins = layout.bins[column] as number;
  const missingAt = offset + bins;
  const nodeLoss = node.gradient * newtonStep(node.gradient, node.hessian, l2);
  let gradient = missingLeft ? (gradients[missingAt] as number) : 0;
  let hessian = missingLeft ? (hessians[missingAt] as number) : 0;
  let count = missingLeft ? (counts[missingAt] as number) : 0;
  let found = best;
  const last = missingLeft === false ? bins : bins - 1;
  for (let bin = 0; bin < last; bin += 1) {
    gradient += gradients[offset + bin] as number;
    hessian += hessians[offset + bin] as number;
    count += counts[offset + bin] as number;
    const rightHessian = node.hessian - hessian;
    if (count < minSamplesLeaf || hessian < leastHessian) continue;
    if (node.count - count < minSamplesLeaf || rightHessian < leastHessian) break;
    const rightGradient = node.gradient - gradient;
    const gain =
      nodeLoss -
      gradient * newtonStep(gradient, hessian, l2) -
      rightGradient * newtonStep(rightGradient, rightHessian, l2);
    if (gain <= (found?.gain ?? 0)) continue;
    const left = { gradient, hessian, count };
    const right = { gradient: rightGradient, hessian: rightHessian, count: node.count - count };
    // Where training missed nothing, a missing value follows the majority.
    found = { column, bin, gain, left, right, missingLeft: missingLeft ?? left.count > right.count };
  }
  return found;
};
