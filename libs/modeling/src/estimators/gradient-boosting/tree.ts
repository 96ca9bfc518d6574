/**
 * A regression tree as parallel arrays; node 0 is the root. At an inner node, values up to the threshold go
 * left, others right, missing ones where `missingLeft` says. A leaf has `left` −1.
 */
export interface Tree {
  readonly feature: readonly number[];
  /** `null` is infinity: only missing values go right. */
  readonly threshold: readonly (number | null)[];
  readonly missingLeft: readonly boolean[];
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly value: readonly number[];
}

/** The leaf's value for row `row` of the columns. */
export const treeValue = (tree: Tree, columns: readonly Float64Array[], row: number): number => {
  let node = 0;
  for (let left = tree.left[0] ?? -1; left >= 0; left = tree.left[node] ?? -1) {
    const value = columns[tree.feature[node] ?? 0]?.[row] ?? Number.NaN;
    const goesLeft = Number.isNaN(value)
      ? tree.missingLeft[node]
      : value <= (tree.threshold[node] ?? Number.POSITIVE_INFINITY);
    node = goesLeft ? left : (tree.right[node] ?? 0);
  }
  return tree.value[node] ?? 0;
};
