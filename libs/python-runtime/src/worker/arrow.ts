import { Invalid } from '@millrace/errors';
import type { Column, Table } from '@millrace/tabular';
import {
  Table as ArrowTable,
  Bool,
  type Data,
  DataType,
  Float64,
  Int64,
  makeData,
  TimestampMillisecond,
  tableFromIPC,
  tableToIPC,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';

type NumericColumn = Extract<Column, { readonly type: 'number' | 'integer' | 'timestamp' }>;

/**
 * A table as an Arrow IPC stream: numbers as float64, integers as int64, timestamps in milliseconds (UTC), missing values as
 * nulls. Throws `Invalid` when columns are of unequal length.
 */
export const tableToArrow = (table: Table): Uint8Array => {
  for (const { name, values } of table.columns) {
    if (values.length === table.rowCount) continue;
    throw Invalid.field(
      `column "${name}"`,
      `has ${values.length} values in a table of ${table.rowCount} rows`,
    );
  }
  const vectors = Object.fromEntries(table.columns.map((column) => [column.name, vectorOf(column)]));
  return tableToIPC(new ArrowTable(vectors), 'stream');
};

const vectorOf = (column: Column): Vector => {
  switch (column.type) {
    case 'string':
      return vectorFromArray([...column.values], new Utf8());
    case 'boolean':
      return vectorFromArray([...column.values], new Bool());
    default:
      return new Vector([numericData(column)]);
  }
};

/** Filled directly: the builder of the library takes many times as long. */
const numericData = ({ type, values }: NumericColumn): Data => {
  const { length } = values;
  const nullBitmap = new Uint8Array(Math.ceil(length / 8));
  const isFloat = type === 'number';
  const data = isFloat ? new Float64Array(length) : new BigInt64Array(length);
  let nullCount = 0;
  values.forEach((value, index) => {
    if (value === null) {
      nullCount += 1;
      return;
    }
    nullBitmap[index >> 3] = (nullBitmap[index >> 3] ?? 0) | (1 << (index & 7));
    data[index] = isFloat ? value : BigInt(Math.trunc(value));
  });
  const common = { length, nullCount, nullBitmap };
  if (isFloat) return makeData({ ...common, type: new Float64(), data: data as Float64Array });
  const integers = data as BigInt64Array;
  if (type === 'integer') return makeData({ ...common, type: new Int64(), data: integers });
  return makeData({ ...common, type: new TimestampMillisecond('UTC'), data: integers });
};

/**
 * A table from an Arrow IPC stream. NaN becomes a missing value; timestamps and dates become milliseconds, dictionaries their
 * values. Throws `Invalid` for a column of a nested or binary type, and for integers beyond 2^53.
 */
export const arrowToTable = (stream: Uint8Array): Table => {
  const table = tableFromIPC(stream);
  const columns = table.schema.fields.map(({ name }) => columnOf(name, table.getChild(name) as Vector));
  return { rowCount: table.numRows, columns };
};

const columnOf = (name: string, vector: Vector): Column => {
  const type = valueType(vector.type);
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type))
    return { name, type: 'string', values: [...vector] };
  if (DataType.isBool(type)) return { name, type: 'boolean', values: [...vector] };
  if (DataType.isFloat(type)) {
    return {
      name,
      type: 'number',
      values: Array.from(vector, (value) => (Number.isNaN(value) ? null : value)),
    };
  }
  if (DataType.isTimestamp(type) || DataType.isDate(type)) {
    return { name, type: 'timestamp', values: Array.from(vector, millisecondsOf) };
  }
  if (DataType.isInt(type)) {
    return { name, type: 'integer', values: Array.from(vector, (value) => exact(value, name)) };
  }
  if (DataType.isNull(type)) return { name, type: 'number', values: Array.from(vector, () => null) };
  throw Invalid.field(`column "${name}"`, `has the type ${type}, which a table cannot hold`);
};

const valueType = (type: DataType): DataType => (DataType.isDictionary(type) ? type.dictionary : type);

const millisecondsOf = (value: number | Date | null): number | null =>
  value === null ? null : Number(value);

const exact = (value: number | bigint | null, name: string): number | null => {
  if (value === null) return null;
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw Invalid.field(`column "${name}"`, `holds ${value}, which is beyond 2^53`);
};
