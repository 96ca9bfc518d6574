import { ColumnType } from './table.ts';

/** A column type as text: which text has its form, and its value. */
export interface TextForm {
  readonly type: ColumnType;
  /** SQL: whether a value that is not missing has this form. */
  readonly fits: (column: string) => string;
  readonly cast: (column: string) => string;
}

// DuckDB's own casts take too much: `1.5` as the integer 2, `0x10`, `1_000`.
const integer = String.raw`\s*[+-]?\d+\s*`;
const float = String.raw`\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*`;
const time = String.raw`\s*\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|[+-]\d{2}(:?\d{2})?)?)?\s*`;
/** Numbers of so many digits are identifiers that a float would change. */
const longNumber = String.raw`\s*[+-]?\d{17,}\s*`;

/** Narrowest first; text is what none of them fits. */
export const textForms: readonly TextForm[] = [
  {
    type: ColumnType.integer,
    fits: (column) =>
      `(regexp_full_match(${column}, '${integer}') AND abs(try_cast(${column} AS HUGEINT)) <= 9007199254740992)`,
    cast: (column) => `${column}::BIGINT`,
  },
  {
    type: ColumnType.number,
    fits: (column) =>
      `(regexp_full_match(${column}, '${float}') AND NOT regexp_full_match(${column}, '${longNumber}'))`,
    cast: (column) => `CASE WHEN isfinite(${column}::DOUBLE) THEN ${column}::DOUBLE END`,
  },
  {
    type: ColumnType.boolean,
    fits: (column) => `lower(trim(${column})) IN ('true', 'false')`,
    cast: (column) => `(lower(trim(${column})) = 'true')`,
  },
  {
    type: ColumnType.timestamp,
    fits: (column) =>
      `(regexp_full_match(${column}, '${time}') AND try_cast(${column} AS TIMESTAMPTZ) IS NOT NULL)`,
    // A plain TIMESTAMP cast would drop the offset; the session's zone is UTC.
    cast: (column) => `${column}::TIMESTAMPTZ::TIMESTAMP`,
  },
];
