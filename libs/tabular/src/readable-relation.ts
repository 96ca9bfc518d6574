import { columnTypeOf, toStorage } from './column-types.ts';
import type { DuckDb } from './duckdb.ts';
import { labelColumns } from './foreign.ts';
import { parquetSource } from './parquet.ts';
import { describeSource, type Relation, relationOf } from './relation.ts';
import { quoteIdentifier } from './sql.ts';
import type { ColumnType } from './table.ts';

/** A Parquet file of whatever origin, as far as a column can hold its values. */
export interface ReadableRelation extends Relation {
  /** Columns whose values are lists, structures or bytes: they are left out. */
  readonly unreadable: readonly { readonly name: string; readonly type: string }[];
}

/**
 * Makes the columns of a Parquet file readable as a view `name` of the session, in storage types: pandas may have written
 * NaN, infinities, or types that no column of ours has. The index of a data frame is left out.
 */
export const readableRelation = async (
  duck: DuckDb,
  path: string,
  name: string,
): Promise<ReadableRelation> => {
  const source = parquetSource(path);
  const labels = await labelColumns(duck, path);
  const described = (await describeSource(duck, source)).filter((column) => !labels.has(column.name));
  const typed = described.map((column) => ({ ...column, type: columnTypeOf(column.duckType) }));
  const columns = typed.flatMap(({ type, ...column }) => (type === undefined ? [] : [{ ...column, type }]));
  const unreadable = typed.flatMap(({ type, duckType, name: column }) =>
    type === undefined ? [{ name: column, type: duckType }] : [],
  );
  if (columns.length === 0)
    return { source, columns: [], rowCount: await rowCountOf(duck, source), unreadable };
  const view = quoteIdentifier(name);
  await duck.run(`CREATE TEMP VIEW ${view} AS SELECT ${columns.map(readable).join(', ')} FROM ${source}`);
  return { ...(await relationOf(duck, view, columns)), unreadable };
};

const readable = ({ name, duckType, type }: { name: string; duckType: string; type: ColumnType }): string => {
  const column = quoteIdentifier(name);
  return `${toStorage(column, duckType, type)} AS ${column}`;
};

const rowCountOf = async (duck: DuckDb, source: string): Promise<number> =>
  Number((await duck.row(`SELECT count(*) AS n FROM ${source}`)).n);
