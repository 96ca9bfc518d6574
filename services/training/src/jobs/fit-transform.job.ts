import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import type { JobMain } from '@millrace/jobs';
import {
  applyTransform,
  fitTransform,
  type PackagedTransform,
  parseTransformSpec,
  type Task,
} from '@millrace/modeling';
import type { ColumnType, Table } from '@millrace/tabular';
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
  /** Where the transformed training rows go, serialized. */
  readonly transformed: string;
}

export interface FitTransformOutput {
  readonly rows: number;
  readonly inputColumns: number;
  readonly outputColumns: number;
  readonly dropped: readonly { readonly column: string; readonly reason: string }[];
  readonly transform: PackagedTransform;
  /** Features before the transform. */
  readonly inputSchema: readonly { readonly name: string; readonly type: ColumnType }[];
}

/** Fits the built-in transform on the training split. */
const main: JobMain<FitTransformInput, FitTransformOutput> = async (input, context) => {
  context.activity('the fit of the transform');
  const { features } = await context.span('read split', () =>
    readTrainSplit(input.train, input.targetColumn, input.task),
  );
  const { transform, transformed } = await context.span('fit transform', async () => fit(input, features));
  await writeFile(join(input.directory, 'transform.json'), `${JSON.stringify(transform)}\n`);
  await writeFile(input.transformed, serialize(transformed));
  return {
    rows: features.rowCount,
    inputColumns: features.columns.length,
    outputColumns: transformed.columns.length,
    dropped: transform.kind === 'builtin' ? transform.state.dropped : [],
    transform,
    inputSchema: features.columns.map(({ name, type }) => ({ name, type })),
  };
};
export default main;

const fit = (
  { spec }: FitTransformInput,
  features: Table,
): { transform: PackagedTransform; transformed: Table } => {
  if (spec === undefined) return { transform: { kind: 'none' }, transformed: features };
  const state = fitTransform(parseTransformSpec(spec, 'steps.transform'), features);
  return { transform: { kind: 'builtin', state }, transformed: applyTransform(state, features) };
};
