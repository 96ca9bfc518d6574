import { readFile } from 'node:fs/promises';
import { deserialize } from 'node:v8';
import type { JobMain } from '@millrace/jobs';
import { type Table, writeTable } from '@millrace/tabular';

export interface StoreTableInput {
  /** A table, serialized: user code that made it may not load the engine that writes Parquet. */
  readonly table: string;
  /** Parquet file to write. */
  readonly output: string;
}

/** Turns a table that user code left into a Parquet file. */
const main: JobMain<StoreTableInput, null> = async ({ table, output }, context) => {
  context.activity('the storing of transformed data');
  await writeTable(deserialize(await readFile(table)) as Table, output);
  return null;
};
export default main;
