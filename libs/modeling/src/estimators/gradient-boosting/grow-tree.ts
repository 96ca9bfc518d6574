import { type BinnedData, missingBin } from './binning.ts';
import { findSplit, leafValue, type Split, type SplitRules, type Sums } from './find-split.ts';
import { type Histogram, histogramOf, type Layout, layoutOf, subtract } from './histogram.ts';
import type { Tree } from './tree.ts';

export interface GrowOptions extends SplitRules {
  readonly maxLeafNodes: number;
  /** 0: no limit. */
  readonly maxDepth: number;
  readonly learningRate: number;
}

interface Node {
  readonly id: number;
  readonly depth: number;
  readonly rows: Uint32Array;
  readonly sums: Sums;
  readonly histogram: Histogram;
  readonly split: Split | undefined;
}

export interface GrownTree {
  readonly tree: Tree;
  /** Rows of each leaf with its value. */
  readonly leaves: readonly { readonly rows: Uint32Array; readonly value: number }[];
}

/** Grows a tree leaf by leaf, always dividing the leaf that gains most. */
export const growTree = (
  data: BinnedData,
  rows: Uint32Array,
  columns: readonly number[],
  gradients: Float32Array,
  hessians: Float32Array,
  options: GrowOptions,
): GrownTree => new Grower(data, columns, gradients, hessians, options).grow(rows);

class Grower {
  readonly #data: BinnedData;
  readonly #layout: Layout;
  readonly #columns: readonly number[];
  readonly #gradients: Float32Array;
  readonly #hessians: Float32Array;
  readonly #options: GrowOptions;
  readonly #tree = {
    feature: [] as number[],
    threshold: [] as (number | null)[],
    missingLeft: [] as boolean[],
    left: [] as number[],
    right: [] as number[],
    value: [] as number[],
  };

  constructor(
    data: BinnedData,
    columns: readonly number[],
    gradients: Float32Array,
    hessians: Float32Array,
    options: GrowOptions,
  ) {
    this.#data = data;
    this.#layout = layoutOf(data);
    this.#columns = columns;
    this.#gradients = gradients;
    this.#hessians = hessians;
    this.#options = options;
  }

  grow(rows: Uint32Array): GrownTree {
    let leaves = [this.#root(rows)];
    while (leaves.length < this.#options.maxLeafNodes) {
      const next = leaves.reduce((best, leaf) =>
        (leaf.split?.gain ?? 0) > (best.split?.gain ?? 0) ? leaf : best,
      );
      if (next.split === undefined) break;
      const children = this.#divide(next, next.split);
      leaves = [...leaves.filter((leaf) => leaf !== next), ...children];
    }
    return {
      tree: this.#tree,
      leaves: leaves.map(({ id, rows: of }) => ({ rows: of, value: this.#tree.value[id] ?? 0 })),
    };
  }

  #root(rows: Uint32Array): Node {
    const sums = { gradient: 0, hessian: 0, count: rows.length };
    for (const row of rows) {
      sums.gradient += this.#gradients[row] ?? 0;
      sums.hessian += this.#hessians[row] ?? 0;
    }
    return this.#node(
      rows,
      0,
      sums,
      histogramOf(this.#data, this.#layout, rows, this.#gradients, this.#hessians),
    );
  }

  #node(rows: Uint32Array, depth: number, sums: Sums, histogram: Histogram): Node {
    const { minSamplesLeaf, maxDepth, l2, learningRate } = this.#options;
    const id = this.#tree.value.length;
    this.#tree.feature.push(0);
    this.#tree.threshold.push(0);
    this.#tree.missingLeft.push(false);
    this.#tree.left.push(-1);
    this.#tree.right.push(-1);
    this.#tree.value.push(learningRate * leafValue(sums, l2));
    const dividable = rows.length >= 2 * minSamplesLeaf && (maxDepth === 0 || depth < maxDepth);
    const split = dividable
      ? findSplit(this.#data, this.#layout, this.#columns, histogram, sums, this.#options)
      : undefined;
    return { id, depth, rows, sums, histogram, split };
  }

  #divide(node: Node, split: Split): [Node, Node] {
    const [leftRows, rightRows] = this.#partition(node.rows, split);
    const smaller = leftRows.length <= rightRows.length ? leftRows : rightRows;
    const direct = histogramOf(this.#data, this.#layout, smaller, this.#gradients, this.#hessians);
    const other = subtract(node.histogram, direct);
    const [left, right] = smaller === leftRows ? [direct, other] : [other, direct];
    const children: [Node, Node] = [
      this.#node(leftRows, node.depth + 1, split.left, left),
      this.#node(rightRows, node.depth + 1, split.right, right),
    ];
    this.#tree.feature[node.id] = split.column;
    // Beyond the last threshold lie missing values only.
    this.#tree.threshold[node.id] = this.#data.thresholds[split.column]?.[split.bin] ?? null;
    this.#tree.missingLeft[node.id] = split.missingLeft;
    this.#tree.left[node.id] = children[0].id;
    this.#tree.right[node.id] = children[1].id;
    return children;
  }

  #partition(rows: Uint32Array, { column, bin, missingLeft }: Split): [Uint32Array, Uint32Array] {
    const bins = this.#data.bins[column] ?? new Uint8Array();
    const goesLeft = (row: number) => {
      const own = bins[row] ?? missingBin;
      return own === missingBin ? missingLeft : own <= bin;
    };
    return [rows.filter(goesLeft), rows.filter((row) => !goesLeft(row))];
  }
}
