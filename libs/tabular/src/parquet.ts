import type { DuckDb } from './duckdb.ts';
import { quoteText } from './sql.ts';

/**
 * Writes the rows of a query to a Parquet file, in their order, and returns how many. The same rows give the same
 * bytes with the same DuckDB release, as long as the session has one thread: row groups, compression and
 * encoding are fixed and the file holds no time of writing.
 */
export const writeParquet = async (duck: DuckDb, query: string, path: string): Promise<number> => {
  const { Count: count } = await duck.row(
    `COPY (${query}) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)`,
  );
  return Number(count);
};

/** Writes the rows of a query to a CSV file with a header, in their order, and returns how many. */
export const writeCsv = async (duck: DuckDb, query: string, path: string): Promise<number> => {
  const { Count: count } = await duck.row(`COPY (${query}) TO ${quoteText(path)} (FORMAT csv, HEADER)`);
  return Number(count);
};

/** A Parquet file as the source of a `FROM` clause. */
export const parquetSource = (path: string): string => `read_parquet(${quoteText(path)})`;
