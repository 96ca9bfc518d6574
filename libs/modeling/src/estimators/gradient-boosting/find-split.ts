import { type BinnedData, missingBin } from './binning.ts';
import { binCount, type Histogram } from './histogram.ts';

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

/** Newton's step for a leaf, not yet shrunk. */
export const leafValue = ({ gradient, hessian }: Sums, l2: number): number =>
  -gradient / (hessian + l2 + tiny);

const lossOf = (sums: Sums, l2: number): number => sums.gradient * leafValue(sums, l2);

const minus = (a: Sums, b: Sums): Sums => ({
  gradient: a.gradient - b.gradient,
  hessian: a.hessian - b.hessian,
  count: a.count - b.count,
});

/** The split of the largest gain over the given columns, if any gains. The first column wins a tie. */
export const findSplit = (
  data: BinnedData,
  columns: readonly number[],
  histogram: Histogram,
  node: Sums,
  rules: SplitRules,
): Split | undefined => {
  let best: Split | undefined;
  for (const column of columns) {
    const found = bestOfColumn(data, column, histogram, node, rules);
    if (found !== undefined && found.gain > (best?.gain ?? 0)) best = found;
  }
  return best;
};

const bestOfColumn = (
  data: BinnedData,
  column: number,
  histogram: Histogram,
  node: Sums,
  rules: SplitRules,
): Split | undefined => {
  const bins = (data.thresholds[column]?.length ?? 0) + 1;
  const hasMissing = data.hasMissing[column] === true;
  const at = (bin: number): Sums => {
    const index = column * binCount + bin;
    return {
      gradient: histogram.gradients[index] as number,
      hessian: histogram.hessians[index] as number,
      count: histogram.counts[index] as number,
    };
  };
  let best: Split | undefined;
  const consider = (bin: number, left: Sums, missingLeft: boolean | undefined) => {
    const right = minus(node, left);
    if (!allowed(left, rules) || !allowed(right, rules)) return;
    const gain = lossOf(node, rules.l2) - lossOf(left, rules.l2) - lossOf(right, rules.l2);
    if (gain <= (best?.gain ?? 0)) return;
    // Where training missed nothing, a missing value follows the majority.
    best = { column, bin, gain, left, right, missingLeft: missingLeft ?? left.count > right.count };
  };
  // Missing values to the right; with them, even all others may go left.
  let left: Sums = { gradient: 0, hessian: 0, count: 0 };
  for (let bin = 0; bin < bins - (hasMissing ? 0 : 1); bin += 1) {
    left = add(left, at(bin));
    consider(bin, left, hasMissing ? false : undefined);
  }
  if (!hasMissing) return best;
  // Missing values to the left.
  let leftWithMissing = at(missingBin);
  for (let bin = 0; bin < bins - 1; bin += 1) {
    leftWithMissing = add(leftWithMissing, at(bin));
    consider(bin, leftWithMissing, true);
  }
  return best;
};

const add = (a: Sums, b: Sums): Sums => ({
  gradient: a.gradient + b.gradient,
  hessian: a.hessian + b.hessian,
  count: a.count + b.count,
});

const allowed = ({ count, hessian }: Sums, { minSamplesLeaf }: SplitRules): boolean =>
  count >= minSamplesLeaf && hessian >= leastHessian;
