import type { DuckDb } from '../duckdb.ts';
import type { Histogram, NumericProfile } from '../profile-types.ts';
import { quoteNumber } from '../sql.ts';
import { binEdges, equalWidthEdges } from './histogram.ts';

const maxBins = 20;
/** Of the histogram that a person looks at. */
const buckets = 20;
const sampleSize = 2_000;
const probabilities = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];
const binProbabilities = Array.from({ length: maxBins - 1 }, (_, index) => (index + 1) / maxBins);
/** Squares and sums of larger values would overflow, so they are computed on a smaller scale. */
const safeMagnitude = 1e140;

/** Profile of the values of an SQL expression over a source that has at least one. */
export const numericProfile = async (
  duck: DuckDb,
  source: string,
  value: string,
  distinct: number,
): Promise<NumericProfile> => {
  const values = `(SELECT ${value} AS x FROM ${source} WHERE ${value} IS NOT NULL)`;
  const { min, max, zeros } = await range(duck, values);
  const magnitude = Math.max(Math.abs(min), Math.abs(max));
  const scale = magnitude > safeMagnitude ? magnitude : 1;
  const scaled = scale === 1 ? 'x' : `(x / ${quoteNumber(scale)})`;
  const row = await duck.row(
    `SELECT avg(${scaled}) AS center,
       quantile_cont(${scaled}, [${[...probabilities, ...binProbabilities].join(', ')}]) AS quantiles
     FROM ${values}`,
  );
  const center = Number(row.center);
  const { mean, std } = await moments(duck, values, scaled, center);
  const quantiles = (row.quantiles as readonly number[]).map((quantile) => quantile * scale);
  const edges = binEdges({
    min,
    max,
    distinct: distinct <= maxBins ? await distinctValues(duck, values) : undefined,
    quantiles: quantiles.slice(probabilities.length),
  });
  return {
    min,
    max,
    mean: mean * scale,
    std: Math.min(std * scale, Number.MAX_VALUE),
    quantiles: Object.fromEntries(
      probabilities.map((probability, index) => [String(probability), quantiles[index] ?? min]),
    ),
    bins: await countBins(duck, values, edges),
    zeros,
    histogram: await countBins(duck, values, equalWidthEdges(min, max, buckets)),
    sample: await sampleOf(duck, source, value),
  };
};

const range = async (duck: DuckDb, values: string): Promise<{ min: number; max: number; zeros: number }> => {
  const row = await duck.row(
    `SELECT min(x) AS min, max(x) AS max, count(*) FILTER (WHERE x = 0) AS zeros FROM ${values}`,
  );
  return { min: Number(row.min), max: Number(row.max), zeros: Number(row.zeros) };
};

/** Mean and deviation from values moved to their centre, which keeps the digits of a small spread far from zero. */
const moments = async (
  duck: DuckDb,
  values: string,
  value: string,
  center: number,
): Promise<{ mean: number; std: number }> => {
  const moved = `(${value} - ${quoteNumber(center)})`;
  const row = await duck.row(
    `SELECT avg(${moved}) AS rest, coalesce(stddev_samp(${moved}), 0) AS std FROM ${values}`,
  );
  return { mean: center + Number(row.rest), std: Number(row.std) };
};

/** `undefined` when an estimated count was too low. */
const distinctValues = async (duck: DuckDb, values: string): Promise<number[] | undefined> => {
  const rows = await duck.rows(`SELECT DISTINCT x FROM ${values} ORDER BY x LIMIT ${maxBins + 1}`);
  return rows.length > maxBins ? undefined : rows.map((row) => Number(row.x));
};

const countBins = async (duck: DuckDb, values: string, edges: readonly number[]): Promise<Histogram> => {
  const lower = edges.slice(0, -1);
  const counts = binCounts('x', edges).map((sql, index) => `${sql} AS b${index}`);
  const row = await duck.row(`SELECT ${counts.join(', ')} FROM ${values}`);
  return { edges, counts: lower.map((_, index) => Number(row[`b${index}`])) };
};

/** An SQL aggregate per bin that counts the values of an expression in it. */
const binCounts = (value: string, edges: readonly number[]): string[] =>
  edges.slice(0, -1).map((edge, index, lower) => {
    const upper = edges[index + 1] ?? edge;
    const below = index === lower.length - 1 ? '<=' : '<';
    return `count(*) FILTER (WHERE ${value} >= ${quoteNumber(edge)} AND ${value} ${below} ${quoteNumber(upper)})`;
  });

/** The rows with the smallest hash of their number: a uniform sample that depends on nothing else. */
const sampleOf = async (duck: DuckDb, source: string, value: string): Promise<number[]> => {
  const rows = await duck.rows(
    `SELECT x FROM (SELECT ${value} AS x, row_number() OVER () AS n FROM ${source})
     WHERE x IS NOT NULL ORDER BY hash(n), n LIMIT ${sampleSize}`,
  );
  return rows.map((row) => Number(row.x)).sort((a, b) => a - b);
};
