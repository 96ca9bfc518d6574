import {
  Table as ArrowTable,
  Bool,
  type DataType,
  Float64,
  Int64,
  makeBuilder,
  TimestampMillisecond,
  Type,
  tableFromIPC,
  tableToIPC,
  Utf8,
  type Vector,
} from 'apache-arrow';

/** A column of a table in memory; `null` is a missing value, timestamps are milliseconds since the epoch. */
export interface ArrowColumn {
  readonly name: string;
  readonly type: 'number' | 'integer' | 'boolean' | 'string' | 'timestamp';
  readonly values: readonly (number | string | boolean | null)[];
}

/** What `libs/tabular` calls a table. */
export interface TableLike {
  readonly rowCount: number;
  readonly columns: readonly ArrowColumn[];
}

const types = {
  number: () => new Float64(),
  integer: () => new Int64(),
  boolean: () => new Bool(),
  string: () => new Utf8(),
  timestamp: () => new TimestampMillisecond(),
} as const;

/** The table as an Arrow IPC stream, as a worker takes it. */
export const tableToArrow = (table: TableLike): Uint8Array =>
  tableToIPC(
    new ArrowTable(Object.fromEntries(table.columns.map((column) => [column.name, vectorOf(column)]))),
    'stream',
  );

const vectorOf = ({ type, values }: ArrowColumn): Vector => {
  const builder = makeBuilder<DataType>({ type: types[type](), nullValues: [null] });
  const whole = type === 'integer' || type === 'timestamp';
  for (const value of values) {
    builder.append(whole && value !== null ? BigInt(Math.trunc(Number(value))) : value);
  }
  return builder.finish().toVector();
};

/** The table of an Arrow IPC stream: numbers, text, true and false, times. `NaN` becomes `null`. */
export const arrowToTable = (stream: Uint8Array): TableLike => {
  const table = tableFromIPC(stream);
  const columns = table.schema.fields.map(({ name, type }, index) => ({
    name,
    type: columnType(type),
    values: Array.from(table.getChildAt(index) ?? [], cellOf),
  }));
  return { rowCount: table.numRows, columns };
};

const columnType = (type: DataType): ArrowColumn['type'] => {
  switch (type.typeId) {
    case Type.Int:
      return 'integer';
    case Type.Float:
      return 'number';
    case Type.Bool:
      return 'boolean';
    case Type.Timestamp:
    case Type.Date:
      return 'timestamp';
    default:
      return 'string';
  }
};

const cellOf = (value: unknown): number | string | boolean | null => {
  if (value === null || value === undefined || Number.isNaN(value)) return null;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  return typeof value === 'bigint' ? Number(value) : String(value);
};
