import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { DuckDBDataChunk, DuckDBType } from '@duckdb/node-api';
import { Invalid, MillraceError, messageOf } from '@millrace/errors';
import { columnTypeOf, storageType, supportedColumnType, toStorage } from './column-types.ts';
import { type DuckDb, openDuckDb } from './duckdb.ts';
import { labelColumns } from './foreign.ts';
import { parquetSource, writeParquet } from './parquet.ts';
import { describeSource } from './relation.ts';
import { quoteIdentifier } from './sql.ts';
import { type Column, ColumnType, type Table } from './table.ts';

export interface ReadTableOptions {
  /** In this order; default all, in the order of the file. */
  readonly columns?: readonly string[];
  /** pandas wrote the file: columns of row labels are left out, and what no column can hold otherwise is text. */
  readonly pandas?: boolean;
  readonly signal?: AbortSignal;
  readonly memoryLimit?: string;
}

export interface WriteTableOptions {
  readonly signal?: AbortSignal;
  readonly memoryLimit?: string;
}

/** Rows per chunk: DuckDB's vector size. */
const chunkRows = 2048;

/** Reads a Parquet file into memory. Throws `Invalid` on an unreadable file, an absent column or an integer beyond 2^53. */
export const readTable = (path: string, options: ReadTableOptions = {}): Promise<Table> =>
  withSession(path, options, async (duck) => {
    const source = parquetSource(resolve(path));
    const plans = await planColumns(duck, source, path, options);
    if (plans.length === 0) return { rowCount: 0, columns: [] };
    const values: (number | string | boolean | null)[][] = plans.map(() => []);
    const select = plans.map(({ sql }, index) => `${sql} AS c${index}`).join(', ');
    for await (const chunk of duck.chunks(`SELECT ${select} FROM ${source}`)) {
      for (const [index, column] of values.entries()) appendColumn(chunk, index, column);
    }
    const columns = plans.map(({ name, type }, index) => columnOf(name, type, values[index] ?? []));
    for (const column of columns) requireExact(column, path);
    return { rowCount: values[0]?.length ?? 0, columns };
  });

/** Writes a table to a Parquet file; the same table gives the same bytes. Throws `Invalid` on columns of unequal length. */
export const writeTable = async (
  table: Table,
  path: string,
  options: WriteTableOptions = {},
): Promise<void> => {
  for (const column of table.columns) {
    if (column.values.length === table.rowCount) continue;
    throw Invalid.field(
      `column "${column.name}"`,
      `has ${column.values.length} values in a table of ${table.rowCount} rows`,
    );
  }
  if (table.columns.length === 0) throw new Invalid('a table without columns cannot be written');
  await withSession(path, options, async (duck) => {
    await loadTable(duck, table, 'staged');
    const select = table.columns.map(
      ({ name, type }, index) => `${fromWire(`c${index}`, type)} AS ${quoteIdentifier(name)}`,
    );
    await writeParquet(duck, `SELECT ${select.join(', ')} FROM staged`, resolve(path));
  });
};

const withSession = async <T>(
  path: string,
  options: WriteTableOptions,
  work: (duck: DuckDb) => Promise<T>,
): Promise<T> => {
  const tempDir = await mkdtemp(join(tmpdir(), 'millrace-table-'));
  try {
    await using duck = await openDuckDb({
      tempDir,
      allowedDirectories: [dirname(resolve(path))],
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.memoryLimit === undefined ? {} : { memoryLimit: options.memoryLimit }),
    });
    return await work(duck);
  } finally {
    await rm(tempDir, { recursive: true, force: true });
  }
};

interface ColumnPlan {
  readonly name: string;
  readonly type: ColumnType;
  readonly sql: string;
}

const planColumns = async (
  duck: DuckDb,
  source: string,
  path: string,
  { columns: wanted, pandas = false }: ReadTableOptions,
): Promise<ColumnPlan[]> => {
  const described = await describeSource(duck, source).catch((error: unknown) => {
    if (error instanceof MillraceError) throw error;
    throw new Invalid(`${path} is not a readable Parquet file: ${firstLine(messageOf(error))}`, {
      cause: error,
    });
  });
  const byName = new Map(described.map((column) => [column.name, column]));
  const labels = pandas ? await labelColumns(duck, resolve(path)) : new Set();
  const all = [...byName.keys()].filter((name) => !labels.has(name));
  return (wanted ?? all).map((name) => {
    const column = byName.get(name);
    if (column === undefined) throw Invalid.field(`column "${name}"`, `is not in ${path}`);
    const type = pandas
      ? (columnTypeOf(column.duckType) ?? ColumnType.string)
      : supportedColumnType(column.duckType, name, path);
    return { name, type, sql: toWire(toStorage(quoteIdentifier(name), column.duckType, type), type) };
  });
};

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? text;

// All numeric columns cross to JavaScript as 64-bit floats: their vectors are typed arrays, unlike those of
// 64-bit integers and timestamps, whose values would be boxed one by one.
const toWire = (sql: string, type: ColumnType): string => {
  if (type === ColumnType.integer) return `(${sql})::DOUBLE`;
  if (type === ColumnType.timestamp) return `epoch_us(${sql})::DOUBLE / 1000`;
  return sql;
};

const fromWire = (sql: string, type: ColumnType): string => {
  if (type === ColumnType.timestamp) return `make_timestamp(round(${sql} * 1000)::BIGINT)`;
  return `${sql}::${storageType[type]}`;
};

const appendColumn = (
  chunk: DuckDBDataChunk,
  index: number,
  target: (number | string | boolean | null)[],
): void => {
  const vector = chunk.getColumnVector(index);
  const count = chunk.rowCount;
  for (let row = 0; row < count; row++) target.push(vector.getItem(row) as number | string | boolean | null);
};

const columnOf = (name: string, type: ColumnType, values: readonly unknown[]): Column =>
  ({ name, type, values }) as Column;

const requireExact = (column: Column, path: string): void => {
  if (column.type !== ColumnType.integer) return;
  const row = column.values.findIndex((value) => value !== null && !Number.isSafeInteger(value));
  if (row < 0) return;
  throw Invalid.field(`column "${column.name}"`, `row ${row + 1} of ${path} holds an integer beyond 2^53`, {
    hint: 'Store identifiers of this size as text.',
  });
};

/** Loads a table into the session as `name`, with columns c0, c1 … in wire types. */
const loadTable = async (duck: DuckDb, table: Table, name: string): Promise<void> => {
  const { BOOLEAN, DOUBLE, DuckDBDataChunk, VARCHAR } = await import('@duckdb/node-api');
  const wireType = (type: ColumnType): DuckDBType => {
    if (type === ColumnType.string) return VARCHAR;
    return type === ColumnType.boolean ? BOOLEAN : DOUBLE;
  };
  const types = table.columns.map(({ type }) => wireType(type));
  const definitions = types.map((type, index) => `c${index} ${type}`);
  await duck.run(`CREATE TEMP TABLE ${quoteIdentifier(name)} (${definitions.join(', ')})`);
  const appender = await duck.connection.createAppender(name);
  const finite = table.columns.map(finiteValues);
  for (let start = 0; start < table.rowCount; start += chunkRows) {
    const count = Math.min(chunkRows, table.rowCount - start);
    const chunk = DuckDBDataChunk.create(types, count);
    for (const [index, values] of finite.entries())
      chunk.setColumnValues(index, values.slice(start, start + count));
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
};

/** NaN and infinities are missing values. */
const finiteValues = (column: Column): readonly (number | string | boolean | null)[] => {
  if (column.type === ColumnType.string || column.type === ColumnType.boolean) return column.values;
  return column.values.map((value) => (value !== null && Number.isFinite(value) ? value : null));
};
