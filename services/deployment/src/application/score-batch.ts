import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BlobStore, parseDigest } from '@millrace/blobs';
import { FailedPrecondition } from '@millrace/errors';
import {
  describesModel,
  loadPredictor,
  type Manifest,
  type PackageFiles,
  type Prediction,
  packageEnvironmentSpec,
  parseManifest,
} from '@millrace/modeling';
import { type PythonEnvironments, runPythonJob } from '@millrace/python-runtime';
import type { StepContext } from '@millrace/service-kit';
import {
  type Column,
  openDuckDb,
  parquetSource,
  readTable,
  type Table,
  writeCsv,
  writeTable,
} from '@millrace/tabular';

export type OutputFormat = 'parquet' | 'csv' | 'delta';

/** How Python models score batches. */
export interface BatchSettings {
  readonly blobs: BlobStore;
  readonly environments: PythonEnvironments;
  /** Limit of the memory of the process that scores, MiB. */
  readonly memoryMb: number;
}

export interface Batch {
  /** Digest of the model's package. */
  readonly model: string;
  /** Parquet file with the rows to score. */
  readonly data: string;
  readonly using: OutputFormat;
  /** Type of the prediction, as Spark names it; models that Python did not make have their own. */
  readonly resultType: string;
  /** Of the caller's own. */
  readonly directory: string;
}

export interface Scored {
  readonly rows: number;
  /** The rows with their predictions, as a Parquet file. */
  readonly parquet: string;
  /** What is to be written: a file, or the directory of a Delta table. Equal to `parquet` for that format. */
  readonly output: string;
  readonly warnings: readonly string[];
}

const maxManifestBytes = 16 * 1024 * 1024;
/** Packages of the project are among them, as wheels. */
const maxDescriptionBytes = 32 * 1024 * 1024;

/** Adds a column `prediction` to rows, by a model of a package. */
export const scoreBatch = async (
  settings: BatchSettings,
  batch: Batch,
  step: StepContext,
): Promise<Scored> => {
  const manifest = parseManifest(await settings.blobs.read(parseDigest(batch.model), maxManifestBytes));
  const spec = packageEnvironmentSpec(await descriptionsOf(settings.blobs, manifest));
  if (spec === undefined) return scoreInNode(settings, batch, manifest, step);
  const { progress, signal, log } = step;
  const environment = await settings.environments.ensure(spec, {
    signal,
    onProgress: (line) => progress(0.1, `environment: ${line}`),
  });
  const model = join(batch.directory, 'model');
  await layOut(settings.blobs, manifest, model);
  const parquet = join(batch.directory, 'scored.parquet');
  const output = batch.using === 'parquet' ? parquet : join(batch.directory, outputName[batch.using]);
  const { rows, warnings } = await runPythonJob<{ rows: number; warnings: readonly string[] }>({
    environment,
    job: 'predict',
    input: {
      model,
      data: batch.data,
      output,
      using: batch.using,
      save_mode: 'overwrite',
      result_type: batch.resultType,
      parquet: output === parquet ? null : parquet,
    },
    userRoot: model,
    memoryMb: settings.memoryMb,
    activity: 'scoring',
    signal,
    onProgress: ({ fraction, message }) => progress(0.3 + 0.6 * Math.max(fraction, 0), message),
    onLog: ({ stream, text }) => log.info({ stream }, text),
  });
  return { rows, parquet, output, warnings };
};

const outputName: Readonly<Record<OutputFormat, string>> = {
  parquet: 'scored.parquet',
  csv: 'scored.csv',
  delta: 'scored-delta',
};

const maxModelFileBytes = 512 * 1024 * 1024;
const longestSeconds = 24 * 3_600;

const readFiles = async (
  { files }: Manifest,
  read: (digest: string) => Promise<Uint8Array>,
): Promise<PackageFiles> =>
  new Map(
    await Promise.all(
      files.map(async ({ path, digest }): Promise<[string, Uint8Array]> => [path, await read(digest)]),
    ),
  );

const descriptionsOf = (blobs: BlobStore, manifest: Manifest): Promise<PackageFiles> => {
  const files = manifest.files.filter(({ path }) => describesModel(path));
  return readFiles({ ...manifest, files }, (digest) => blobs.read(parseDigest(digest), maxDescriptionBytes));
};

const layOut = async (blobs: BlobStore, { files }: Manifest, directory: string): Promise<void> => {
  for (const { path, digest } of files) {
    const local = join(directory, ...path.split('/'));
    await mkdir(dirname(local), { recursive: true });
    await blobs.materialize(parseDigest(digest), local);
  }
};

const scoreInNode = async (
  { blobs, memoryMb }: BatchSettings,
  { data, using, directory }: Batch,
  manifest: Manifest,
  { command, progress, signal }: StepContext,
): Promise<Scored> => {
  if (using === 'delta') {
    throw new FailedPrecondition('a Delta table is written by models that Python made only', {
      hint: 'Use parquet or csv in steps.predict.output.using.',
    });
  }
  const read = (digest: string) => blobs.read(parseDigest(digest), maxModelFileBytes);
  // The step's own timeout is what ends a model that takes too long.
  const limits = { memoryMb, callTimeoutMs: (command.timeoutSeconds || longestSeconds) * 1_000 };
  const predictor = await loadPredictor(await readFiles(manifest, read), limits);
  progress(0.3, 'scoring rows');
  const table = await readTable(data);
  const scored = await predictor
    .predict(table, { path: 'steps.ingest_scoring' })
    .then((prediction) => withPrediction(table, prediction))
    .finally(() => predictor.close());
  const parquet = join(directory, outputName.parquet);
  await writeTable(scored, parquet);
  if (using === 'parquet') return { rows: table.rowCount, parquet, output: parquet, warnings: [] };
  const output = join(directory, outputName.csv);
  await writeAsCsv(directory, signal, parquet, output);
  return { rows: table.rowCount, parquet, output, warnings: [] };
};

const writeAsCsv = async (directory: string, signal: AbortSignal, parquet: string, output: string) => {
  await using duck = await openDuckDb({ tempDir: directory, signal });
  await writeCsv(duck, `SELECT * FROM ${parquetSource(parquet)}`, output);
};

const predictionColumn = 'prediction';

const withPrediction = ({ rowCount, columns }: Table, prediction: Prediction): Table => {
  const column: Column =
    prediction.kind === 'regression'
      ? { name: predictionColumn, type: 'number', values: prediction.values }
      : { name: predictionColumn, type: 'string', values: prediction.labels };
  return { rowCount, columns: [...columns.filter(({ name }) => name !== predictionColumn), column] };
};
