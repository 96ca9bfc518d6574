import { readFile, writeFile } from 'node:fs/promises';
import { deserialize, serialize } from 'node:v8';
import type { Target } from '@millrace/modeling';
import type { Table } from '@millrace/tabular';

export type LabelValue = number | string | boolean;

/** Rows ready for an estimator, with what they are to be compared with. */
export interface PreparedSplit {
  readonly features: Table;
  /** The target column's values in its own type. */
  readonly labels: readonly LabelValue[];
}

/** Training and validation rows after the transform, as a file that the jobs of one step share. */
export interface PreparedData {
  readonly train: PreparedSplit;
  readonly trainTarget: Target;
  readonly validation: PreparedSplit;
}

export const writePrepared = (path: string, data: PreparedData): Promise<void> =>
  writeFile(path, serialize(data));

let last: { readonly path: string; readonly data: PreparedData } | undefined;

/** Reads the file; the trials that follow in this process get it from memory. A path is written once only. */
export const readPrepared = async (path: string): Promise<PreparedData> => {
  if (last?.path !== path) last = { path, data: deserialize(await readFile(path)) as PreparedData };
  return last.data;
};
