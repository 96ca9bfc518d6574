import { columnTypeOf, toStorage } from './column-types.ts';
import type { DuckDb } from './duckdb.ts';
import { parquetSource } from './parquet.ts';
import { describeSource, type Relation, relationOf } from './relation.ts';
import { quoteIdentifier, quoteText } from './sql.ts';
import { ColumnType } from './table.ts';

/**
 * Makes a view of a Parquet file that pandas wrote, in storage types and without the columns that hold row labels. What
 * a column cannot hold otherwise (lists, structs, bytes) is text in it.
 */
export const viewPandasParquet = async (duck: DuckDb, path: string, view: string): Promise<Relation> => {
  const source = parquetSource(path);
  const labels = await labelColumns(duck, path);
  const described = await describeSource(duck, source);
  const columns = described
    .filter(({ name }) => !labels.has(name))
    .map(({ name, duckType }) => {
      const type = columnTypeOf(duckType) ?? ColumnType.string;
      return { name, type, sql: toStorage(quoteIdentifier(name), duckType, type) };
    });
  const select = columns.map(({ name, sql }) => `${sql} AS ${quoteIdentifier(name)}`);
  await duck.run(
    `CREATE TEMP VIEW ${quoteIdentifier(view)} AS SELECT ${select.join(', ') || 'NULL'} FROM ${source}`,
  );
  return relationOf(duck, quoteIdentifier(view), columns);
};

/** Columns of a file that are the index of the data frame; one that only counts rows is none of them. */
export const labelColumns = async (duck: DuckDb, path: string): Promise<ReadonlySet<string>> => {
  const rows = await duck.rows(
    `SELECT decode(value) AS value FROM parquet_kv_metadata(${quoteText(path)}) WHERE decode(key) = 'pandas'`,
  );
  const metadata = rows[0]?.value;
  if (metadata === undefined) return new Set();
  const { index_columns: columns = [] } = JSON.parse(String(metadata)) as { index_columns?: unknown[] };
  return new Set(columns.filter((column) => typeof column === 'string'));
};
