import { type ColumnSchema, type DuckDb, quoteIdentifier } from '@millrace/tabular';
import { type SplitName, splitNames } from '../domain/split-assignment.ts';
import type { SplitConfig } from '../domain/split-config.ts';
import type { ClassCounts, Leaks } from '../domain/split-rules.ts';

// These read the tables `train`, `validation` and `test` of the session.

/** Rows per class in each split. */
export const countClasses = async (duck: DuckDb, target: string): Promise<ClassCounts> => {
  const counts: Record<SplitName, Record<string, number>> = { train: {}, validation: {}, test: {} };
  for (const name of splitNames) {
    const rows = await duck.rows(
      `SELECT ${quoteIdentifier(target)}::VARCHAR AS class, count(*) AS n FROM ${name} GROUP BY 1 ORDER BY 1`,
    );
    counts[name] = Object.fromEntries(rows.map((row) => [String(row.class), Number(row.n)]));
  }
  return counts;
};

/** Counts what could have leaked between the splits. */
export const countLeaks = async (
  duck: DuckDb,
  columns: readonly ColumnSchema[],
  config: Pick<SplitConfig, 'key_columns' | 'time_column'>,
): Promise<Leaks> => ({
  identicalRows: await countRepeats(
    duck,
    columns.map(({ name }) => name).filter((name) => name !== config.time_column),
  ),
  sharedKeys: config.key_columns === undefined ? 0 : await countSharedKeys(duck, config.key_columns),
  timeOverlap: config.time_column === undefined ? 0 : await countTimeOverlap(duck, config.time_column),
});

/** Rows of later splits that an earlier one has too. */
const countRepeats = async (duck: DuckDb, columns: readonly string[]): Promise<number> => {
  if (columns.length === 0) return 0;
  const list = columns.map(quoteIdentifier).join(', ');
  const repeats = async (later: SplitName, earlier: string) => {
    const same = columns
      .map(quoteIdentifier)
      .map((column) => `l.${column} IS NOT DISTINCT FROM e.${column}`)
      .join(' AND ');
    const { n } = await duck.row(
      `SELECT count(*) AS n FROM ${later} AS l SEMI JOIN (SELECT DISTINCT ${list} FROM (${earlier})) AS e ON ${same}`,
    );
    return Number(n);
  };
  const trained = `SELECT ${list} FROM train`;
  return (
    (await repeats('validation', trained)) +
    (await repeats('test', `${trained} UNION ALL SELECT ${list} FROM validation`))
  );
};

const countSharedKeys = async (duck: DuckDb, keys: readonly string[]): Promise<number> => {
  const list = keys.map(quoteIdentifier).join(', ');
  const splits = splitNames.map((name) => `SELECT DISTINCT ${list} FROM ${name}`).join(' UNION ALL ');
  const { n } = await duck.row(
    `SELECT count(*) AS n FROM (SELECT ${list} FROM (${splits}) GROUP BY ALL HAVING count(*) > 1)`,
  );
  return Number(n);
};

const countTimeOverlap = async (duck: DuckDb, column: string): Promise<number> => {
  const time = quoteIdentifier(column);
  const { n } = await duck.row(
    `SELECT (SELECT count(*) FROM validation WHERE ${time} <= (SELECT max(${time}) FROM train))
          + (SELECT count(*) FROM test WHERE ${time} <= (SELECT max(${time}) FROM validation)) AS n`,
  );
  return Number(n);
};
