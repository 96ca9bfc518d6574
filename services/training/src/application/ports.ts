import type { BlobStore } from '@millrace/blobs';
import type { Metric } from '@millrace/contracts/training';
import type { JobProgress, OutputLine } from '@millrace/jobs';
import type { ModelEnvironment } from '@millrace/modeling';
import type { EnsureOptions, EnvironmentSpec, PythonEnvironment } from '@millrace/python-runtime';
import type { Filter, Query } from '@millrace/store';
import type { ExperimentDocument, RunDocument } from '../domain/run.ts';

export interface Listed<T> {
  readonly items: readonly T[];
  readonly nextCursor?: string;
}

export interface PageQuery {
  readonly limit: number;
  readonly cursor?: string;
}

/** What a run gains at its end. */
export type RunOutcome = Partial<
  Pick<
    RunDocument,
    'params' | 'metrics' | 'tags' | 'artifacts' | 'environment' | 'modelDigest' | 'summary' | 'warnings'
  >
>;

/** Tracking runs. Each change is one atomic write with its event. */
export interface Runs {
  get(id: string): Promise<RunDocument | undefined>;
  /**
   * Records that the run began, with its event, and returns it. A run that had begun before (its worker was
   * killed) begins afresh without a second event; one that is finished is returned as it is.
   */
  start(run: RunDocument): Promise<RunDocument>;
  finish(id: string, outcome: RunOutcome): Promise<RunDocument>;
  /** `killed`: it was told to stop, otherwise it failed by itself. A run that has ended is left alone. */
  fail(id: string, error: string, killed: boolean): Promise<void>;
  /** Adds to a run. Throws `NotFound`; `Invalid` when a param would change its value. */
  log(id: string, change: Pick<RunDocument, 'params' | 'metrics' | 'tags'>): Promise<void>;
  find(
    query: { filter?: Filter; sort: NonNullable<Query['sort']> } & PageQuery,
  ): Promise<Listed<RunDocument>>;
}

export interface Experiments {
  /** The experiment of that name, made when there is none. */
  ensure(name: string): Promise<ExperimentDocument>;
  list(page: PageQuery): Promise<Listed<ExperimentDocument>>;
}

/** Every value that a metric ever had. */
export interface MetricHistory {
  /** Adds values; one that is there already (run, key, step, time, value) is not doubled. */
  add(runId: string, metrics: readonly Metric[]): Promise<void>;
  /** In order of step. */
  list(runId: string, key: string, page: PageQuery): Promise<Listed<Metric>>;
}

export interface JobHooks {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: JobProgress) => void;
  readonly onLog?: (line: OutputLine) => void;
  readonly onQuestion?: (question: unknown) => unknown;
}

/** Heavy and user-written work, always in child processes. */
export interface Jobs {
  /** Code of ours, in a process that is kept for the next job. */
  run<Output>(job: OwnJob, input: unknown, hooks: JobHooks): Promise<Output>;
  /** User code, in a fresh process that may read and write `workspace` only; errors name files below `code`. */
  runUser<Output>(job: UserJob, input: unknown, place: UserPlace, hooks: JobHooks): Promise<Output>;
}

export type OwnJob =
  | 'fit-transform'
  | 'prepare'
  | 'fit'
  | 'measure'
  | 'package'
  | 'store-table'
  | 'rank-predictions';
export type UserJob = 'user-transform' | 'user-fit' | 'custom-metrics';

export interface UserPlace {
  readonly workspace: string;
  readonly code: string;
}

/** A project in Python, always in fresh worker processes. */
export interface PythonJobs {
  /** The environment of that specification, built where it is missing. */
  environment(spec: EnvironmentSpec, options: EnsureOptions): Promise<PythonEnvironment>;
  run<Output>(job: PythonJob, input: unknown, place: PythonPlace, hooks: JobHooks): Promise<Output>;
}

/** Modules below `millrace.jobs`. */
export type PythonJob = 'transform' | 'train';

export interface PythonPlace {
  readonly environment: PythonEnvironment;
  /** Root of the project's files, and the working directory. */
  readonly project: string;
}

/** What the use cases work with. */
export interface TrainingContext {
  readonly runs: Runs;
  readonly experiments: Experiments;
  readonly history: MetricHistory;
  readonly jobs: Jobs;
  readonly python: PythonJobs;
  readonly blobs: BlobStore;
  readonly environment: ModelEnvironment;
  /** Most trials of a search at the same time. */
  readonly maxParallelTrials: number;
  readonly tempDir: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
