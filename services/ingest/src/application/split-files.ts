import { join } from 'node:path';
import { parseDigest } from '@millrace/blobs';
import type { Artifact } from '@millrace/contracts/step';
import type { StepContext } from '@millrace/service-kit';
import { type SplitName, splitNames } from '../domain/split-assignment.ts';
import { parquetMediaType, type StepDependencies } from './step-dependencies.ts';

/** Parts of the step, in both runtimes. */
export const splitPhases = {
  fetch: { name: 'fetch dataset', fraction: 0, message: 'reading the dataset' },
  environment: { name: 'make environment', fraction: 0.1, message: 'making the Python environment' },
  divide: { name: 'divide rows', fraction: 0.3, message: 'dividing rows' },
  check: { name: 'check leaks', fraction: 0.5, message: 'checking for leaks' },
  store: { name: 'store splits', fraction: 0.7, message: 'storing splits' },
} as const;

/** Parquet files, by split. */
export type SplitFiles = Readonly<Record<SplitName, string>>;

/** Makes the dataset of the run readable and answers its path. */
export const fetchDataset = async (
  { blobs }: StepDependencies,
  { input }: StepContext,
  directory: string,
): Promise<string> => {
  const path = join(directory, 'dataset.parquet');
  await blobs.materialize(parseDigest(input('dataset').digest), path, { as: 'link' });
  return path;
};

/** Stores the splits and answers them as outputs of the step. */
export const splitOutputs = async (
  { blobs }: StepDependencies,
  files: SplitFiles,
  rows: Readonly<Record<SplitName, number>>,
): Promise<readonly Partial<Artifact>[]> => {
  const outputs = [];
  for (const name of splitNames) {
    const { digest, size } = await blobs.put({ file: files[name] });
    const attributes = { rows: String(rows[name]) };
    outputs.push({ name, kind: 'split', digest, size, mediaType: parquetMediaType, attributes });
  }
  return outputs;
};
