import type { ColumnProfile } from '@millrace/tabular';

/** Profiles of columns for tests, as ingest makes them: ten quantile bins and a sample of up to 2,000. */
export const profileNumbers = (name: string, values: readonly (number | null)[]): ColumnProfile => {
  const present = Float64Array.from(values.filter((value) => value !== null)).sort();
  const count = present.length;
  const mean = present.reduce((sum, value) => sum + value, 0) / count;
  const std = Math.sqrt(present.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1));
  const at = (share: number): number => present[Math.round(share * (count - 1))] ?? 0;
  const edges = [...new Set(Array.from({ length: 11 }, (_, i) => at(i / 10)))];
  if (edges.length === 1) edges.push(...edges);
  const counts = new Array<number>(edges.length - 1).fill(0);
  for (const value of present) {
    let bin = 0;
    while (bin < counts.length - 1 && value >= (edges[bin + 1] ?? 0)) bin++;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return {
    name,
    type: 'number',
    count,
    missing: values.length - count,
    distinct: new Set(present).size,
    distinctApproximate: false,
    numeric: {
      min: at(0),
      max: at(1),
      mean,
      std,
      quantiles: {},
      bins: { edges, counts },
      sample: [...present.slice(0, 2000)],
    },
  };
};

export const profileTexts = (name: string, values: readonly (string | null)[]): ColumnProfile => {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  const top = [...counts].map(([value, count]) => ({ value, count }));
  top.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
  const count = values.filter((value) => value !== null).length;
  return {
    name,
    type: 'string',
    count,
    missing: values.length - count,
    distinct: counts.size,
    distinctApproximate: false,
    categorical: { top, other: 0 },
  };
};
