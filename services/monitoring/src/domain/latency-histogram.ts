/**
 * A mergeable histogram of latencies with logarithmic buckets, whose quantiles are within 1 % of the true ones:
 * DDSketch, C. Masson, J. Rim & H. Lee, VLDB 12 (2019) 2195.
 */
const accuracy = 0.01;
const gamma = (1 + accuracy) / (1 - accuracy);
const logGamma = Math.log(gamma);

/** Shorter times count as this, ms. */
const shortest = 0.001;

/** Bucket number → count. */
export type LatencyHistogram = Record<string, number>;

export const addLatency = (histogram: LatencyHistogram, ms: number): void => {
  if (!Number.isFinite(ms)) return;
  const bucket = String(Math.ceil(Math.log(Math.max(ms, shortest)) / logGamma));
  histogram[bucket] = (histogram[bucket] ?? 0) + 1;
};

export const mergeLatencies = (into: LatencyHistogram, from: LatencyHistogram): void => {
  for (const [bucket, count] of Object.entries(from)) into[bucket] = (into[bucket] ?? 0) + count;
};

/** The latency, in ms, that `share` of the requests did not exceed; 0 without requests. */
export const latencyQuantile = (histogram: LatencyHistogram, share: number): number => {
  const buckets = Object.entries(histogram).map(([bucket, count]) => ({ bucket: Number(bucket), count }));
  buckets.sort((a, b) => a.bucket - b.bucket);
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  let rank = Math.max(1, Math.ceil(share * total));
  for (const { bucket, count } of buckets) {
    rank -= count;
    if (rank <= 0) return (2 * gamma ** bucket) / (gamma + 1);
  }
  return 0;
};
