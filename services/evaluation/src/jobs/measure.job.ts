import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import type { JobMain } from '@millrace/jobs';
import type { TaskDefinition } from '@millrace/metrics';
import { loadPredictor, type Predictor } from '@millrace/modeling';
import { PythonEnvironments } from '@millrace/python-runtime';
import { readTable } from '@millrace/tabular';
import { type MeasuredModel, measure, type ScoredRows } from '../domain/measure.ts';
import type { Measurement } from '../domain/measurement.ts';
import type { SliceDefinition } from '../domain/plan.ts';

/** Files of a model package below a directory, by their paths within the package. */
export interface PackageOnDisk {
  readonly directory: string;
  readonly paths: readonly string[];
}

export interface MeasureInput {
  readonly task: TaskDefinition;
  readonly targetColumn: string;
  /** Parquet files. */
  readonly validation: string;
  readonly test: string;
  readonly model: PackageOnDisk;
  readonly champion?: PackageOnDisk;
  /** Directory of the Python environments; those of the models are built. */
  readonly environments: string;
  readonly slices: readonly SliceDefinition[];
  readonly importanceMetric: string;
  readonly seed: number;
  /** Where to write what the project's own metrics need; absent when there are none. */
  readonly scoredFile?: string;
}

/** Measures a model in a process of its own: predictions and resampling would hold up the service. */
const main: JobMain<MeasureInput, Measurement> = async (input, context) => {
  context.activity('the evaluation of the model');
  const [validation, test] = await Promise.all([readTable(input.validation), readTable(input.test)]);
  const { environments } = input;
  const model = await open(input.model, environments);
  const champion =
    input.champion === undefined ? undefined : await openChampion(input.champion, environments);
  try {
    const { task, targetColumn, slices, importanceMetric, seed } = input;
    const { measurement, scored } = await measure({
      task,
      targetColumn,
      slices,
      importanceMetric,
      seed,
      validation,
      test,
      model: measured(model),
      ...(champion === undefined ? {} : { champion }),
      onProgress: (fraction, message) => context.progress(fraction, message),
    });
    if (input.scoredFile !== undefined) await writeScored(input.scoredFile, scored);
    return measurement;
  } finally {
    await model.close();
    await champion?.close();
  }
};
export default main;

/** A model may be given a whole split at once. */
const callTimeoutMs = 15 * 60_000;

const open = async ({ directory, paths }: PackageOnDisk, environments: string): Promise<Predictor> => {
  const files = await Promise.all(
    paths.map(async (path): Promise<[string, Uint8Array]> => [path, await readFile(join(directory, path))]),
  );
  return loadPredictor(new Map(files), {
    callTimeoutMs,
    environments: PythonEnvironments.open({ directory: environments }),
    onLog: ({ text }) => console.log(text),
  });
};

const measured = (predictor: Predictor): MeasuredModel => ({
  features: predictor.signature.inputs.map(({ name }) => name),
  predict: (features) => predictor.predict(features),
});

/** A champion that does not load is told of where it is asked to predict. */
const openChampion = async (
  files: PackageOnDisk,
  environments: string,
): Promise<MeasuredModel & { close(): Promise<void> }> => {
  try {
    const predictor = await open(files, environments);
    return { ...measured(predictor), close: () => predictor.close() };
  } catch (thrown) {
    return { features: [], predict: () => Promise.reject(thrown), close: async () => {} };
  }
};

const writeScored = (path: string, scored: Readonly<Record<string, ScoredRows | undefined>>) =>
  writeFile(path, serialize(scored));
