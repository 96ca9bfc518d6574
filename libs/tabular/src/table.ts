/**
 * A table in memory, column by column. `null` is a missing value in every type. Numbers never hold `NaN`:
 * what a reader finds as NaN becomes `null`.
 */
export interface Table {
  readonly rowCount: number;
  readonly columns: readonly Column[];
}

export const ColumnType = {
  /** 64-bit float; integers up to 2^53 are exact. */
  number: 'number',
  /** 64-bit integer in the source, held as a number; `Invalid` beyond 2^53. */
  integer: 'integer',
  boolean: 'boolean',
  string: 'string',
  /** Milliseconds since the epoch, UTC. */
  timestamp: 'timestamp',
} as const;
export type ColumnType = (typeof ColumnType)[keyof typeof ColumnType];

export type Column =
  | {
      readonly name: string;
      readonly type: 'number' | 'integer' | 'timestamp';
      readonly values: readonly (number | null)[];
    }
  | { readonly name: string; readonly type: 'boolean'; readonly values: readonly (boolean | null)[] }
  | { readonly name: string; readonly type: 'string'; readonly values: readonly (string | null)[] };

export interface ColumnSchema {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
}
