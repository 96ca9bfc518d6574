/**
 * Wasserstein distance of order 1 between the empirical distributions of two sorted samples: the area between
 * their distribution functions, in the unit of the values. Equals scipy's `wasserstein_distance`.
 */
export const wasserstein = (a: Float64Array, b: Float64Array): number => {
  const [n, m] = [a.length, b.length];
  let [i, j, area] = [0, 0, 0];
  let previous = Math.min(a[0] ?? 0, b[0] ?? 0);
  while (i < n || j < m) {
    const value = j >= m || (i < n && (a[i] ?? 0) <= (b[j] ?? 0)) ? (a[i] ?? 0) : (b[j] ?? 0);
    area += Math.abs(i / n - j / m) * (value - previous);
    while (i < n && a[i] === value) i++;
    while (j < m && b[j] === value) j++;
    previous = value;
  }
  return area;
};
