/** Arithmetic mean; 0 for no values. */
export const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Population standard deviation (divisor n), as scikit-learn's `StandardScaler` uses. */
export const standardDeviation = (values: readonly number[]): number => {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
};

/** Quantile of ascending values by linear interpolation (type 7, numpy's default). */
export const quantile = (ascending: readonly number[], fraction: number): number => {
  const position = (ascending.length - 1) * fraction;
  const lower = ascending[Math.floor(position)] ?? 0;
  const upper = ascending[Math.ceil(position)] ?? lower;
  return lower + (upper - lower) * (position - Math.floor(position));
};

export const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

export const median = (values: readonly number[]): number => quantile(ascending(values), 0.5);

/** How often each value occurs. */
export const countsOf = <T>(values: readonly T[]): Map<T, number> => {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
};

/** Compares as numbers or by code unit, never by locale: the order must not depend on the machine. */
export const compare = <T extends string | number | boolean>(a: T, b: T): number =>
  a < b ? -1 : a > b ? 1 : 0;

/** The most frequent value, the smallest among equals (as `SimpleImputer`); `undefined` for no values. */
export const mostFrequent = <T extends string | number | boolean>(values: readonly T[]): T | undefined => {
  let best: readonly [T, number] | undefined;
  for (const [value, count] of countsOf(values)) {
    if (best === undefined || count > best[1] || (count === best[1] && compare(value, best[0]) < 0)) {
      best = [value, count];
    }
  }
  return best?.[0];
};
