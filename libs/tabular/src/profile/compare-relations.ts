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
  const select = edges.flatMap((found, index) =>
    found === undefined
      ? []
      : [
          `count(*) FILTER (WHERE c${index} = 0) AS z${index}`,
          ...(found.every((edge) => Math.abs(edge) < squarable)
            ? [`stddev_samp(c${index}) AS s${index}`]
            : []),
          ...binCounts(`c${index}`, found).map((sql, bin) => `${sql} AS b${index}_${bin}`),
        ],
  );
  if (select.length === 0) return edges.map(() => []);
  const rows = await byPart(duck, `SELECT part, ${select.join(', ')} FROM ${all} GROUP BY part`);
  return edges.map((found, index) =>
    found === undefined
      ? []
      : Array.from({ length: parts }, (_, part) => spreadIn(rows.get(part), index, found.length - 1)),
  );
};

const spreadIn = (row: SqlRow | undefined, index: number, bins: number): Spread => {
  const std = row?.[`s${index}`];
  return {
    counts: Array.from({ length: bins }, (_, bin) => Number(row?.[`b${index}_${bin}`] ?? 0)),
    figures: {
      zeros: Number(row?.[`z${index}`] ?? 0),
      ...(std === undefined || std === null ? {} : { std: Number(std) }),
    },
  };
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
