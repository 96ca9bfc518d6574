import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobMain } from '@millrace/jobs';
import {
  applyTransform,
  fitTransform,
  type PackagedTransform,
  parseTransformSpec,
  type Task,
} from '@millrace/modeling';
import { readTrainSplit } from './splits.ts';

export interface FitTransformInput {
  /** Parquet file of the training split. */
  readonly train: string;
  readonly targetColumn: string;
  readonly task: Task;
  /** The transform section of the recipe without `using`; absent: no transform. */
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Where `transform.json` goes. */
  readonly directory: string;
}

export interface FitTransformOutput {
  readonly rows: number;
  readonly inputColumns: number;
  readonly outputColumns: number;
  readonly dropped: readonly { readonly column: string; readonly reason: string }[];
}

/** Fits the built-in transform on the training split. */
const main: JobMain<FitTransformInput, FitTransformOutput> = async (input, context) => {
  context.activity('the fit of the transform');
  const { features } = await context.span('read split', () =>
    readTrainSplit(input.train, input.targetColumn, input.task),
  );
  const { transform, outputColumns } = await context.span('fit transform', async () => fit(input, features));
  await writeFile(join(input.directory, 'transform.json'), `${JSON.stringify(transform)}\n`);
  return {
    rows: features.rowCount,
    inputColumns: features.columns.length,
    outputColumns,
    dropped: transform.kind === 'builtin' ? transform.state.dropped : [],
  };
};
export default main;

const fit = (
  { spec }: FitTransformInput,
  features: Parameters<typeof fitTransform>[1],
): { transform: PackagedTransform; outputColumns: number } => {
  if (spec === undefined) return { transform: { kind: 'none' }, outputColumns: features.columns.length };
  const state = fitTransform(parseTransformSpec(spec, 'steps.transform'), features);
  const outputColumns = applyTransform(state, {
    rowCount: 0,
    columns: features.columns.map((column) => ({ ...column, values: [] })),
  }).columns.length;
  return { transform: { kind: 'builtin', state }, outputColumns };
};
