import type { DuckDb } from '../duckdb.ts';
import { quoteIdentifier } from '../sql.ts';
import { ColumnType } from '../table.ts';
import type { PartColumn } from './combine.ts';

interface TextForm {
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
const forms: readonly TextForm[] = [
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

const probeRows = 2_000;

export interface TextColumnsOptions {
  readonly textColumns?: readonly string[];
}

/**
 * Finds the narrowest type that every value of each text column fits. A column without values has none yet.
 */
export const inferTextColumns = async (
  duck: DuckDb,
  table: string,
  names: readonly string[],
  options: TextColumnsOptions,
): Promise<PartColumn[]> => {
  const kept = new Set(options.textColumns ?? []);
  const counts = await countFitting(duck, table, names, () => 'true');
  let open = names.filter((name) => (counts.get(name) ?? 0) > 0 && !kept.has(name));
  const found = new Map<string, TextForm>();
  const probe = `(SELECT * FROM ${table} LIMIT ${probeRows})`;
  for (const form of forms) {
    // Most columns fail on the first rows already, which spares them the pass over all.
    const likely = await fitting(duck, probe, open, form);
    for (const name of await fitting(duck, table, likely, form)) found.set(name, form);
    open = open.filter((name) => !found.has(name));
  }
  return names.map((name) => {
    const form = found.get(name);
    const column = quoteIdentifier(name);
    if (form !== undefined) return { name, type: form.type, sql: form.cast(column) };
    const empty = (counts.get(name) ?? 0) === 0 && !kept.has(name);
    return { name, type: empty ? undefined : ColumnType.string, sql: column };
  });
};

const fitting = async (
  duck: DuckDb,
  source: string,
  names: readonly string[],
  form: TextForm,
): Promise<string[]> => {
  if (names.length === 0) return [];
  const misfits = await countFitting(duck, source, names, (column) => `NOT ${form.fits(column)}`);
  return names.filter((name) => misfits.get(name) === 0);
};

const countFitting = async (
  duck: DuckDb,
  source: string,
  names: readonly string[],
  condition: (column: string) => string,
): Promise<Map<string, number>> => {
  const counts = names.map((name, index) => {
    const column = quoteIdentifier(name);
    return `count(${column}) FILTER (WHERE ${condition(column)}) AS c${index}`;
  });
  const row = await duck.row(`SELECT ${counts.join(', ')} FROM ${source}`);
  return new Map(names.map((name, index) => [name, Number(row[`c${index}`])]));
};
