import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { metricTable } from '@millrace/modeling';
import { type Column, type Table, writeTable } from '@millrace/tabular';
import type { ScoredRows } from '../domain/measure.ts';

/** How predictions and targets are kept for the project's own metrics. */
export type ScoredFormat =
  /** Serialized into one file. */
  | { readonly kind: 'node'; readonly file: string }
  /** One Parquet file per set of rows, named by it, with the columns `prediction` and `target`. */
  | { readonly kind: 'python'; readonly directory: string };

/** Sets of rows by name (`validation`, `test`, `champion`). */
type ScoredSets = Readonly<Record<string, ScoredRows | undefined>>;

export const writeScored = async (format: ScoredFormat, sets: ScoredSets): Promise<void> => {
  if (format.kind === 'node') return writeFile(format.file, serialize(sets));
  for (const [name, rows] of Object.entries(sets)) {
    if (rows !== undefined) await writeTable(tableOf(rows), join(format.directory, `${name}.parquet`));
  }
};

const tableOf = ({ target, prediction }: ScoredRows): Table => {
  const columns = metricTable(target, prediction);
  return {
    rowCount: target.length,
    columns: [columnOf('prediction', columns.prediction), columnOf('target', columns.target)],
  };
};

const columnOf = (name: string, values: readonly (number | string | boolean)[]): Column =>
  ({ name, values, type: typeOf(values) }) as Column;

const typeOf = (values: readonly (number | string | boolean)[]): Column['type'] => {
  const [first] = values;
  if (typeof first === 'string') return 'string';
  if (typeof first === 'boolean') return 'boolean';
  return values.every((value) => Number.isSafeInteger(value)) ? 'integer' : 'number';
};
