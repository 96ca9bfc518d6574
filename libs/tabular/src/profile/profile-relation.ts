import type { DuckDb } from '../duckdb.ts';
import type { CategoricalProfile, ColumnProfile, DatasetProfile, LengthProfile } from '../profile-types.ts';
import type { Relation } from '../relation.ts';
import { quoteIdentifier } from '../sql.ts';
import { type ColumnSchema, ColumnType } from '../table.ts';
import { numericProfile } from './numeric.ts';

/** Beyond this many rows different values are estimated: counting them exactly would hold them all in memory. */
const exactDistinctRows = 200_000;
const topValues = 50;
/** Longer values are no categories; they count as `other`. */
const maxValueLength = 256;

/**
 * Profiles every column of a relation. The same rows in the same order give the same profile, as long as the session
 * has one thread.
 */
export const profileRelation = async (duck: DuckDb, relation: Relation): Promise<DatasetProfile> => {
  const columns: ColumnProfile[] = [];
  for (const column of relation.columns) columns.push(await profileColumn(duck, relation, column));
  return { version: 1, rowCount: relation.rowCount, columns };
};

const profileColumn = async (
  duck: DuckDb,
  relation: Relation,
  { name, type }: ColumnSchema,
): Promise<ColumnProfile> => {
  const column = quoteIdentifier(name);
  const approximate = relation.rowCount > exactDistinctRows;
  const distinctSql = approximate ? `approx_count_distinct(${column})` : `count(DISTINCT ${column})`;
  const counts = await duck.row(
    `SELECT count(${column}) AS count, ${distinctSql} AS distinct_count FROM ${relation.source}`,
  );
  const count = Number(counts.count);
  const base = {
    name,
    type,
    count,
    missing: relation.rowCount - count,
    distinct: Number(counts.distinct_count),
    distinctApproximate: approximate,
  };
  if (count === 0) return base;
  if (type === ColumnType.boolean || type === ColumnType.string) {
    const categorical = await categoricalProfile(duck, relation, column, count);
    if (type === ColumnType.boolean) return { ...base, categorical };
    return { ...base, categorical, length: await lengthProfile(duck, relation, column) };
  }
  return {
    ...base,
    numeric: await numericProfile(duck, relation.source, numericValue(column, type), base.distinct),
  };
};

/** SQL of a number's or a time's value as a 64-bit float: milliseconds since the epoch for times. */
export const numericValue = (column: string, type: ColumnType): string =>
  type === ColumnType.timestamp ? `(epoch_us(${column})::DOUBLE / 1000)` : `${column}::DOUBLE`;

const categoricalProfile = async (
  duck: DuckDb,
  relation: Relation,
  column: string,
  count: number,
): Promise<CategoricalProfile> => {
  const rows = await duck.rows(
    `SELECT ${column}::VARCHAR AS value, count(*) AS count FROM ${relation.source}
     WHERE ${column} IS NOT NULL AND length(${column}::VARCHAR) <= ${maxValueLength}
     GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${topValues}`,
  );
  const top = rows.map((row) => ({ value: String(row.value), count: Number(row.count) }));
  return { top, other: count - top.reduce((sum, entry) => sum + entry.count, 0) };
};

const lengthProfile = async (duck: DuckDb, relation: Relation, column: string): Promise<LengthProfile> => {
  const row = await duck.row(
    `SELECT min(length(${column})) AS min, max(length(${column})) AS max, avg(length(${column})) AS mean
     FROM ${relation.source}`,
  );
  return { min: Number(row.min), max: Number(row.max), mean: Number(row.mean) };
};
