import type { DuckDb, SqlRow } from '../duckdb.ts';
import type { ColumnComparison, ColumnFigures, Comparison } from '../profile-types.ts';
import { quoteIdentifier, quoteNumber } from '../sql.ts';
import { ColumnType } from '../table.ts';
import { equalWidthEdges } from './histogram.ts';
import { numericValue } from './profile-relation.ts';

const buckets = 20;
const shownValues = 8;
/** Characters of a value that tell it from others; longer ones would make a chart's labels unreadable anyway. */
const valueLength = 256;

/** One of the tables to compare. */
export interface ComparedTable {
  /** What a reader sees: `train`. */
  readonly name: string;
  /** Ready for a `FROM` clause. */
  readonly source: string;
}

interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

/**
 * Sets the columns of several tables side by side, each with histograms over common edges. Every table must have the
 * columns. One pass over all columns, and two over each.
 */
export const compareRelations = async (
  duck: DuckDb,
  tables: readonly ComparedTable[],
  columns: readonly Column[],
): Promise<Comparison> => {
  const all = unionOf(tables, columns);
  const figures = await figuresOf(duck, all, tables.length, columns);
  const edges = columns.map((column, index) => edgesOf(column, figures[index] ?? []));
  const spreads = await spreadsOf(duck, all, tables.length, edges);
  const compared: ColumnComparison[] = [];
  for (const [index, column] of columns.entries()) {
    const spread = spreads[index] ?? [];
    const parts = (figures[index] ?? []).map((part, table) => ({ ...part, ...spread[table]?.figures }));
    const base = { name: column.name, type: column.type, parts };
    const found = edges[index];
    if (found !== undefined)
      compared.push({ ...base, histogram: { edges: found, counts: spread.map(({ counts }) => counts) } });
    else if (!isNumeric(column) && parts.some(({ count }) => count > 0))
      compared.push({ ...base, categories: await categoriesOf(duck, all, parts, index) });
    else compared.push(base);
  }
  return { names: tables.map(({ name }) => name), rows: await rowsOf(duck, tables), columns: compared };
};

const isNumeric = ({ type }: Column): boolean => type !== ColumnType.string && type !== ColumnType.boolean;

/** All rows with the number of their table as `part` and the columns as `c0`, `c1` … */
const unionOf = (tables: readonly ComparedTable[], columns: readonly Column[]): string => {
  const select = columns.map((column, index) => {
    const name = quoteIdentifier(column.name);
    return `, ${isNumeric(column) ? numericValue(name, column.type) : `left(${name}::VARCHAR, ${valueLength})`} AS c${index}`;
  });
  const parts = tables.map(({ source }, part) => `SELECT ${part} AS part${select.join('')} FROM ${source}`);
  return `(${parts.join(' UNION ALL ')})`;
};

const rowsOf = async (duck: DuckDb, tables: readonly ComparedTable[]): Promise<number[]> => {
  const counts = tables.map(({ source }, part) => `(SELECT count(*) FROM ${source}) AS n${part}`);
  const row = await duck.row(`SELECT ${counts.join(', ')}`);
  return tables.map((_, part) => Number(row[`n${part}`]));
};

/** `figures[column][part]` */
const figuresOf = async (
  duck: DuckDb,
  all: string,
  parts: number,
  columns: readonly Column[],
): Promise<ColumnFigures[][]> => {
  const select = columns.flatMap((column, index) => [
    `count(c${index}) AS n${index}`,
    ...(isNumeric(column)
      ? ['min', 'median', 'max', 'avg'].map((name) => `${name}(c${index}) AS ${name}${index}`)
      : []),
  ]);
  const rows = await byPart(
    duck,
    `SELECT part, count(*) AS rows, ${select.join(', ')} FROM ${all} GROUP BY part`,
  );
  return columns.map((_, index) =>
    Array.from({ length: parts }, (__, part) => figuresIn(rows.get(part), index)),
  );
};

const byPart = async (duck: DuckDb, sql: string): Promise<Map<number, SqlRow>> =>
  new Map((await duck.rows(sql)).map((row) => [Number(row.part), row]));

const figuresIn = (row: SqlRow | undefined, index: number): ColumnFigures => {
  const count = Number(row?.[`n${index}`] ?? 0);
  const base = { count, missing: Number(row?.rows ?? 0) - count };
  const min = row?.[`min${index}`];
  if (min === undefined || min === null) return base;
  return {
    ...base,
    min: Number(min),
    median: Number(row?.[`median${index}`]),
    max: Number(row?.[`max${index}`]),
    mean: Number(row?.[`avg${index}`]),
  };
};

const edgesOf = (column: Column, parts: readonly ColumnFigures[]): number[] | undefined => {
  if (!isNumeric(column)) return undefined;
  const ends = parts.flatMap(({ min, max }) => (min === undefined || max === undefined ? [] : [min, max]));
  return ends.length === 0 ? undefined : equalWidthEdges(Math.min(...ends), Math.max(...ends), buckets);
};

interface Spread {
  readonly counts: readonly number[];
  readonly figures: Pick<ColumnFigures, 'std' | 'zeros'>;
}

/** Squares of larger values would overflow. */
const squarable = 1e140;

/** `spreads[column][part]`, empty for columns without edges. */
const spreadsOf = async (
  duck: DuckDb,
  all: string,
  parts: number,
  edges: readonly (readonly number[] | undefined)[],
): Promise<Spread[][]> => {
  const spreads: Spread[][] = [];
  for (const [index, found] of edges.entries())
    spreads.push(found === undefined ? [] : await spreadOf(duck, all, parts, `c${index}`, found));
  return spreads;
};

const spreadOf = async (
  duck: DuckDb,
  all: string,
  parts: number,
  value: string,
  edges: readonly number[],
): Promise<Spread[]> => {
  const bins = edges.length - 1;
  const std = edges.every((edge) => Math.abs(edge) < squarable) ? `stddev_samp(${value})` : 'NULL';
  const rows = await byPart(
    duck,
    `SELECT part, count(*) FILTER (WHERE ${value} = 0) AS zeros, ${std} AS std FROM ${all} GROUP BY part`,
  );
  const counted = await duck.rows(
    `SELECT part, ${bucketOf(value, edges)} AS bucket, count(*) AS n FROM ${all}
     WHERE ${value} IS NOT NULL GROUP BY 1, 2`,
  );
  return Array.from({ length: parts }, (_, part) => {
    const counts = new Array<number>(bins).fill(0);
    for (const row of counted) if (Number(row.part) === part) counts[Number(row.bucket)] = Number(row.n);
    const row = rows.get(part);
    return {
      counts,
      figures: {
        zeros: Number(row?.zeros ?? 0),
        ...(row?.std === undefined || row.std === null ? {} : { std: Number(row.std) }),
      },
    };
  });
};

/** SQL of the number of the bucket of equal width that a value lies in. One filter for each bucket would be far slower. */
const bucketOf = (value: string, edges: readonly number[]): string => {
  const [low = 0] = edges;
  const high = edges.at(-1) ?? low;
  const bins = edges.length - 1;
  if (bins < 2) return '0';
  // Halves, because the distance between huge values is no number.
  const share = `(${value} / 2 - ${quoteNumber(low / 2)}) / ${quoteNumber(high / 2 - low / 2)}`;
  return `least(${bins - 1}, greatest(0, floor(${share} * ${bins})))::INTEGER`;
};

const categoriesOf = async (
  duck: DuckDb,
  all: string,
  parts: readonly ColumnFigures[],
  index: number,
): Promise<NonNullable<ColumnComparison['categories']>> => {
  const counts = parts.map((_, part) => `count(*) FILTER (WHERE part = ${part}) AS n${part}`);
  const rows = await duck.rows(
    `SELECT c${index} AS value, ${counts.join(', ')} FROM ${all} WHERE c${index} IS NOT NULL
     GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT ${shownValues}`,
  );
  const counted = parts.map((_, part) => rows.map((row) => Number(row[`n${part}`])));
  return {
    values: rows.map(({ value }) => String(value)),
    counts: counted,
    other: parts.map(({ count }, part) => count - (counted[part] ?? []).reduce((sum, n) => sum + n, 0)),
  };
};
