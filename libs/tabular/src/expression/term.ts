import type { Table } from '../table.ts';

/** Integers count as numbers: the language computes in 64-bit floats, in SQL as in memory. */
export type ValueType = 'number' | 'string' | 'boolean' | 'timestamp';
/** Timestamps are milliseconds since the epoch; `null` is missing. */
export type Value = number | string | boolean | null;
export type Evaluate = (row: number) => Value;

/** A checked part of an expression: the same meaning as SQL and as a function of a row. */
export interface Term {
  readonly type: ValueType;
  readonly sql: string;
  /** Looks the columns up once, then evaluates row by row. */
  bind(table: Table): Evaluate;
}
