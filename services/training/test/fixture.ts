import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BlobStore, openFsBlobStore, parseDigest } from '@millrace/blobs';
import { Artifact, StepCommand } from '@millrace/contracts/step';
import { Internal } from '@millrace/errors';
import { loadPredictor, type Predictor, readPackage } from '@millrace/modeling';
import { createRandom } from '@millrace/random';
import type { StepContext, StepResult } from '@millrace/service-kit';
import { type DocumentStore, openSqliteStore } from '@millrace/store';
import { type Table, writeTable } from '@millrace/tabular';
import { createLogger } from '@millrace/telemetry';
import { childJobs } from '../src/adapters/child-jobs.ts';
import { readEnvironment } from '../src/adapters/environment.ts';
import { StoredExperiments } from '../src/adapters/stored-experiments.ts';
import { StoredMetricHistory } from '../src/adapters/stored-metric-history.ts';
import { StoredRuns } from '../src/adapters/stored-runs.ts';
import type { Jobs, TrainingContext } from '../src/application/ports.ts';
import { runTrainStep } from '../src/application/run-train-step.ts';
import { runTransformStep } from '../src/application/run-transform-step.ts';

export const features = ['distance', 'hour', 'carrier'];

/** Made-up flights: a delay that depends on the hour and the carrier. */
export const flights = (rows: number, seed: number): Table => {
  const random = createRandom(seed).derive('flights');
  const column = <T>(make: () => T): T[] => Array.from({ length: rows }, make);
  const distance = column(() => (random.uniform() < 0.05 ? null : Math.round(200 + 2500 * random.uniform())));
  const hour = column(() => Math.floor(24 * random.uniform()));
  const carrier = column(() => ['AA', 'B6', 'DL', 'UA'][Math.floor(4 * random.uniform())] ?? 'AA');
  const delay = hour.map(
    (value, row) =>
      value * 2 + (carrier[row] === 'B6' ? 15 : 0) + (distance[row] ?? 900) / 500 + 3 * random.uniform(),
  );
  return {
    rowCount: rows,
    columns: [
      { name: 'distance', type: 'integer', values: distance },
      { name: 'hour', type: 'integer', values: hour },
      { name: 'carrier', type: 'string', values: carrier },
      { name: 'delay', type: 'number', values: delay },
      { name: 'late', type: 'boolean', values: delay.map((value) => value > 30) },
      {
        name: 'grade',
        type: 'string',
        values: delay.map((value) => (value < 15 ? 'low' : value < 35 ? 'mid' : 'high')),
      },
    ],
  };
};

const only = (table: Table, target: string): Table => ({
  ...table,
  columns: table.columns.filter(({ name }) => features.includes(name) || name === target),
});

/** These recipes have none. */
const noPython: TrainingContext['python'] = {
  environment: () => Promise.reject(new Internal('no environment is built here')),
  run: () => Promise.reject(new Internal('no Python runs here')),
};

export interface FixtureOptions {
  /** Of each child. */
  readonly memoryMb?: number;
  readonly python?: TrainingContext['python'];
}

/** Everything that a step needs, on real stores, blobs and child processes. */
export class Fixture {
  readonly directory: string;
  readonly store: DocumentStore;
  readonly blobs: BlobStore;
  readonly context: TrainingContext;
  readonly #jobs: Jobs & { close(): Promise<void> };

  private constructor(
    directory: string,
    store: DocumentStore,
    blobs: BlobStore,
    jobs: Jobs & { close(): Promise<void> },
    environment: TrainingContext['environment'],
    python: TrainingContext['python'],
  ) {
    this.directory = directory;
    this.store = store;
    this.blobs = blobs;
    this.#jobs = jobs;
    this.context = {
      runs: new StoredRuns(store, Date.now),
      experiments: new StoredExperiments(store, Date.now),
      history: new StoredMetricHistory(store),
      jobs,
      python,
      blobs,
      environment,
      maxParallelTrials: 2,
      tempDir: join(directory, 'tmp'),
      now: Date.now,
    };
  }

  static async open({ memoryMb = 512, python = noPython }: FixtureOptions = {}): Promise<Fixture> {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-training-'));
    const store = await openSqliteStore({ path: join(directory, 'store.sqlite'), service: 'training' });
    const blobs = await openFsBlobStore({ directory: join(directory, 'blobs') });
    const jobs = childJobs({ size: 2, memoryMb });
    return new Fixture(directory, store, blobs, jobs, await readEnvironment(), python);
  }

  async close(): Promise<void> {
    await this.#jobs.close();
    await this.blobs.close();
    await this.store.close();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Stores a table as a split. */
  async split(name: string, table: Table): Promise<Artifact> {
    const directory = join(this.directory, 'splits');
    await mkdir(directory, { recursive: true });
    const path = join(directory, `${name}-${Math.random()}.parquet`);
    await writeTable(table, path);
    const { digest, size } = await this.blobs.put({ file: path });
    return Artifact.fromPartial({ name, kind: 'split', digest, size });
  }

  /** Stores a project's files; returns the manifest's digest. */
  async project(files: Readonly<Record<string, string>>): Promise<string> {
    const listed = [];
    for (const [path, text] of Object.entries(files)) {
      listed.push({ path, ...(await this.blobs.put(new TextEncoder().encode(text))) });
    }
    const manifest = new TextEncoder().encode(JSON.stringify({ files: listed }));
    return (await this.blobs.put(manifest)).digest;
  }

  /** A command over made-up flights. */
  async command(options: CommandOptions = {}): Promise<StepCommand> {
    const { target = 'delay', task = 'regression', rows = 300 } = options;
    const manifestDigest = options.files === undefined ? '' : await this.project(options.files);
    return StepCommand.fromPartial({
      pipelineRunId: options.pipelineRunId ?? 'run_1',
      step: 'transform',
      attempt: 1,
      project: { project: 'flights', manifestDigest, commit: 'abc', dirtyDigest: 'sha256:dd' },
      recipe: {
        kind: 'regression/v1',
        task,
        targetColumn: target,
        positiveClass: task === 'classification/binary' ? 'true' : '',
        primaryMetric: options.primaryMetric ?? primaryMetrics[task],
        customMetrics: options.customMetrics ?? [],
        seed: 42,
        experimentName: 'flights',
        modelName: 'flights',
      },
      config: options.config ?? {},
      inputs: [
        await this.split('train', only(options.train ?? flights(rows, 1), target)),
        await this.split('validation', only(flights(Math.ceil(rows / 3), 2), target)),
        Artifact.fromPartial({ name: 'dataset', kind: 'dataset_version', id: 'dsv_1' }),
      ],
      actor: { name: 'user:ada' },
    });
  }

  /** The same of a recipe in Python, whose environment ingest recorded. */
  async pythonCommand(
    options: CommandOptions,
    { pythonVersion, lock }: { readonly pythonVersion: string; readonly lock: string },
  ): Promise<StepCommand> {
    const command = await this.command(options);
    const recorded = new TextEncoder().encode(JSON.stringify({ pythonVersion, lock }));
    const { digest } = await this.blobs.put(recorded);
    return StepCommand.fromPartial({
      ...command,
      recipe: { ...command.recipe, runtime: 'python' },
      inputs: [...command.inputs, { name: 'environment', kind: 'environment', digest }],
    });
  }

  transform(command: StepCommand, hooks: Hooks = {}): Promise<StepResult> {
    return runTransformStep(this.context)(stepContext(command, hooks));
  }

  train(command: StepCommand, hooks: Hooks = {}): Promise<StepResult> {
    return runTrainStep(this.context)(stepContext({ ...command, step: 'train' }, hooks));
  }

  /** Both steps; the train step's config is `train`. */
  async transformAndTrain(
    options: CommandOptions & { trainConfig?: Record<string, unknown> } = {},
  ): Promise<StepResult> {
    const command = await this.command(options);
    const { outputs } = await this.transform(command);
    return this.train(withTransform(command, outputs, options.trainConfig ?? {}));
  }

  async predictor(modelDigest: string): Promise<Predictor> {
    const read = (digest: string) => this.blobs.read(parseDigest(digest), 1e9);
    return loadPredictor(await readPackage(await read(modelDigest), read));
  }
}

export const withTransform = (
  command: StepCommand,
  outputs: StepResult['outputs'],
  config: Record<string, unknown>,
): StepCommand => ({
  ...command,
  step: 'train',
  config,
  inputs: [...command.inputs, ...outputs.map((output) => Artifact.fromPartial(output))],
});

export interface CommandOptions {
  readonly target?: string;
  readonly task?: 'regression' | 'classification/binary' | 'classification/multiclass';
  readonly rows?: number;
  readonly train?: Table;
  readonly config?: Record<string, unknown>;
  readonly files?: Readonly<Record<string, string>>;
  readonly primaryMetric?: string;
  readonly customMetrics?: { name: string; function: string; greaterIsBetter: boolean }[];
  readonly pipelineRunId?: string;
}

const primaryMetrics = {
  regression: 'root_mean_squared_error',
  'classification/binary': 'f1_score',
  'classification/multiclass': 'f1_score_macro',
};

export interface Hooks {
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number, message: string) => void;
}

const log = createLogger('silent');

export const stepContext = (command: StepCommand, { signal, onProgress }: Hooks): StepContext => ({
  command,
  signal: signal ?? new AbortController().signal,
  log,
  progress: (fraction, message) => onProgress?.(fraction, message),
  input: (name) => {
    const found = command.inputs.find((artifact) => artifact.name === name);
    if (found === undefined) throw new Internal(`no input "${name}"`);
    return found;
  },
});

/** The page of a step's card. */
export const cardOf = async ({ blobs }: Pick<Fixture, 'blobs'>, result: StepResult): Promise<string> => {
  const { digest, mediaType } = outputNamed(result, 'card');
  if (mediaType !== 'text/html') throw new Error(`a card of type ${mediaType}`);
  return new TextDecoder().decode(await blobs.read(parseDigest(digest ?? ''), 16e6));
};

export const outputNamed = ({ outputs }: StepResult, name: string): Partial<Artifact> => {
  const found = outputs.find((output) => output.name === name);
  if (found === undefined) throw new Error(`no output "${name}"`);
  return found;
};
