import type { DuckDb, SqlRow } from '../duckdb.ts';
import type { ColumnComparison, ColumnFigures, Comparison } from '../profile-types.ts';
import { quoteIdentifier } from '../sql.ts';
import { ColumnType } from '../table.ts';
import { equalWidthEdges } from './histogram.ts';
import { binCounts } from './numeric.ts';
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
 * columns. Two passes over the data, and one more for each column of text or truth values.
 */
export const compareRelations = async (
  duck: DuckDb,
  tables: readonly ComparedTable[],
  columns: readonly Column[],
): Promise<Comparison> => {
  const all = unionOf(tables, columns);
  const figures = await figuresOf(duck, all, tables.length, columns);
  const edges = columns.map((column, index) => edgesOf(column, figures[index] ?? []));
  const histograms = await histogramsOf(duck, all, tables.length, columns, edges);
  const compared: ColumnComparison[] = [];
  for (const [index, column] of columns.entries()) {
    const parts = figures[index] ?? [];
    const base = { name: column.name, type: column.type, parts };
    const found = edges[index];
    if (found !== undefined)
      compared.push({ ...base, histogram: { edges: found, counts: histograms[index] ?? [] } });
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

/** `histograms[column][part][bucket]` */
const histogramsOf = async (
  duck: DuckDb,
  all: string,
  parts: number,
  columns: readonly Column[],
  edges: readonly (readonly number[] | undefined)[],
): Promise<number[][][]> => {
  const select = edges.flatMap((found, index) =>
    found === undefined ? [] : binCounts(`c${index}`, found).map((sql, bin) => `${sql} AS b${index}_${bin}`),
  );
  if (select.length === 0) return columns.map(() => []);
  const rows = await byPart(duck, `SELECT part, ${select.join(', ')} FROM ${all} GROUP BY part`);
  return edges.map((found, index) =>
    Array.from({ length: parts }, (_, part) =>
      (found ?? []).slice(0, -1).map((__, bin) => Number(rows.get(part)?.[`b${index}_${bin}`] ?? 0)),
    ),
  );
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
