/**
 * Bin edges of a numeric profile, strictly ascending unless all values are one. Up to `maxBins` different values get
 * a bin each, divided halfway, so that a shift between two values always shows; more are divided at their quantiles,
 * the equal ones merged.
 */
export const binEdges = (values: {
  readonly min: number;
  readonly max: number;
  /** All different values ascending, when there are at most `maxBins`. */
  readonly distinct: readonly number[] | undefined;
  /** Inner quantiles at equal steps of probability, ascending. */
  readonly quantiles: readonly number[];
}): number[] => {
  const { min, max, distinct } = values;
  if (min === max) return [min, max];
  const inner = distinct === undefined ? values.quantiles : midpoints(distinct);
  const edges = [min];
  for (const edge of inner) {
    if (edge > (edges.at(-1) ?? min) && edge < max) edges.push(edge);
  }
  return [...edges, max];
};

const midpoints = (ascending: readonly number[]): number[] =>
  ascending.slice(1).map((value, index) => {
    const before = ascending[index] ?? value;
    return before / 2 + value / 2;
  });

/** Edges of `buckets` buckets of equal width; the two equal edges `[v, v]` when there is one value. */
export const equalWidthEdges = (min: number, max: number, buckets: number): number[] => {
  if (min === max) return [min, max];
  // Weighted rather than stepped, so that the distance of huge values does not overflow.
  const edges = Array.from({ length: buckets + 1 }, (_, index) => {
    const share = index / buckets;
    return index === buckets ? max : min * (1 - share) + max * share;
  });
  return edges.filter((edge, index) => index === 0 || edge > (edges[index - 1] ?? min));
};
