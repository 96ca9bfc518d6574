export type {
  CategoricalProfile,
  ColumnProfile,
  DatasetProfile,
  Histogram,
  LengthProfile,
  NumericProfile,
  ValueCount,
} from './profile-types.ts';
export { type Column, type ColumnSchema, ColumnType, type Table } from './table.ts';
