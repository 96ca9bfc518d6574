import { Invalid } from '@millrace/errors';
import { type ColumnSchema, ColumnType, quoteIdentifier, quoteText } from '@millrace/tabular';
import { splitPath } from './split-config.ts';

export const splitNames = ['train', 'validation', 'test'] as const;
export type SplitName = (typeof splitNames)[number];

export type Ratios = readonly [number, number, number];

/** Shares that a hash or a rank must stay below for training, and for training and validation. */
export const cumulativeShares = ([train, validation, test]: Ratios): readonly [number, number] => {
  const total = train + validation + test;
  return [train / total, (train + validation) / total];
};

/**
 * SQL that assigns a row to a split by a hash of the columns' values: the same values always go to the same split,
 * whatever other rows there are. The hash is MD5 of the values as text, so it holds across engine releases.
 */
export const assignByHash = (columns: readonly string[], ratios: Ratios, seed: number): string => {
  // Lengths keep `a|b` apart from `a` and `|b`.
  const parts = columns.map((column) => {
    const text = `${quoteIdentifier(column)}::VARCHAR`;
    return `coalesce(concat(length(${text}), ':', ${text}), '-')`;
  });
  const key = `concat_ws('|', ${[quoteText(String(seed)), ...parts].join(', ')})`;
  // 52 bits of the digest, as a share of their range.
  const share = `(('0x' || md5(${key})[1:13])::BIGINT / ${2 ** 52}::DOUBLE)`;
  return assignByShare(share, ratios);
};

/** SQL that assigns a row by its time: before the first cut it trains, from the second on it tests. */
export const assignByTime = (column: string, cuts: readonly [string, string]): string =>
  `CASE WHEN ${quoteIdentifier(column)} < ${cuts[0]} THEN 'train'
     WHEN ${quoteIdentifier(column)} < ${cuts[1]} THEN 'validation' ELSE 'test' END`;

const assignByShare = (share: string, ratios: Ratios): string => {
  const [train, validation] = cumulativeShares(ratios);
  return `CASE WHEN ${share} < ${train} THEN 'train' WHEN ${share} < ${validation} THEN 'validation' ELSE 'test' END`;
};

/** Throws `Invalid` unless the data has the columns that rows are divided by, and time is something in order. */
export const requireSplitColumns = (
  columns: readonly ColumnSchema[],
  config: { readonly key_columns?: readonly string[] | undefined; readonly time_column?: string | undefined },
): void => {
  const byName = new Map(columns.map((column) => [column.name, column]));
  for (const [index, name] of (config.key_columns ?? []).entries()) {
    if (!byName.has(name)) throw absent(`key_columns[${index}]`, name, columns);
  }
  if (config.time_column === undefined) return;
  const time = byName.get(config.time_column);
  if (time === undefined) throw absent('time_column', config.time_column, columns);
  const ordered: readonly ColumnType[] = [ColumnType.timestamp, ColumnType.integer, ColumnType.number];
  if (ordered.includes(time.type)) return;
  throw Invalid.field(
    `${splitPath}.time_column`,
    `"${time.name}" is ${time.type}, but must be a timestamp or number`,
  );
};

const absent = (key: string, name: string, columns: readonly ColumnSchema[]): Invalid =>
  Invalid.field(`${splitPath}.${key}`, `the data has no column "${name}"`, {
    hint: `Its columns are ${columns
      .map((column) => column.name)
      .slice(0, 50)
      .join(', ')}.`,
  });
