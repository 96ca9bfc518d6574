import { Invalid } from '@millrace/errors';
import { ColumnType } from './table.ts';

/** How each column type is stored in relations and Parquet files. */
export const storageType: Readonly<Record<ColumnType, string>> = {
  number: 'DOUBLE',
  integer: 'BIGINT',
  boolean: 'BOOLEAN',
  string: 'VARCHAR',
  timestamp: 'TIMESTAMP',
};

const families: readonly (readonly [RegExp, ColumnType])[] = [
  [/^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/, ColumnType.integer],
  [/^(FLOAT|DOUBLE|DECIMAL\(.*\))$/, ColumnType.number],
  [/^BOOLEAN$/, ColumnType.boolean],
  [/^(VARCHAR|UUID|JSON|TIME|TIME WITH TIME ZONE|ENUM\(.*\))$/, ColumnType.string],
  [/^(DATE|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?)$/, ColumnType.timestamp],
];

/** The column type of a DuckDB type name; `undefined` for what a column cannot hold (lists, structs, blobs). */
export const columnTypeOf = (duckType: string): ColumnType | undefined =>
  families.find(([pattern]) => pattern.test(duckType))?.[1];

/** As `columnTypeOf`, throwing `Invalid` that names file, column and type. */
export const supportedColumnType = (duckType: string, column: string, file: string): ColumnType => {
  const type = columnTypeOf(duckType);
  if (type === undefined) {
    throw Invalid.field(`${file}: column "${column}"`, `the type ${duckType} is not supported`, {
      hint: 'Use numbers, booleans, text and timestamps; flatten nested values before ingest.',
    });
  }
  return type;
};

/** SQL that brings a value of `duckType` to the storage type; NaN and infinities become missing. */
export const toStorage = (sql: string, duckType: string, type: ColumnType): string => {
  if (duckType === 'JSON') return `(${sql} ->> '$')`;
  if (type === ColumnType.number) {
    return `CASE WHEN isfinite(${sql}::DOUBLE) THEN ${sql}::DOUBLE END`;
  }
  if (type === ColumnType.timestamp) return `CASE WHEN isfinite(${sql}) THEN ${sql}::TIMESTAMP END`;
  return `${sql}::${storageType[type]}`;
};
