import type { ChildSpan, JobProgress, OutputLine } from '@millrace/jobs';

/** A package in the project's own files that is required by its path: `./libs/prices[plots]`, `-e .`. */
export interface LocalPackage {
  /** Its directory, wheel or source archive below the project's root, `/`-separated; `.` for the root itself. */
  readonly path: string;
  /** `[plots]`, or empty. */
  readonly extras: string;
  /** Where it is required, `requirements.txt:3`, for errors. */
  readonly place: string;
  /** All of its files, relative to the project's root, sorted. */
  readonly files: readonly string[];
}

/** What an environment is built from. */
export interface EnvironmentSpec {
  /** Python version that is wanted, `3.11`, or specifiers, `>=3.9,<3.12`; undefined takes the one that is there. */
  readonly python?: string;
  /** Requirements of the project, one PEP 508 line each, in the order in which it gives them. */
  readonly requirements: readonly string[];
  /** What the recipe needs beyond the project's requirements (`hyperopt`, `flaml[automl]`), added where the project names none. */
  readonly needs: readonly string[];
  /** A lock that was made before: it is built as it is instead of resolving anew. */
  readonly lock?: string;
  /** Packages of the project's own: they are built from copies of their files, and known by their content. */
  readonly localPackages?: readonly LocalPackage[];
  /** Directory that the project's files are in; needed with `localPackages`. */
  readonly projectRoot?: string;
  /** Such packages that were built before, which the lock names as `wheels/<file name>`: file name → content, base64. */
  readonly wheels?: Readonly<Record<string, string>>;
  /** File that the requirements come from, for errors. */
  readonly source?: string;
  /** Where each of `requirements` stands, `requirements.txt:3`, for errors. */
  readonly places?: readonly string[];
  /** Constraints on versions (`-c`), one line each; they require nothing. */
  readonly constraints?: readonly string[];
  /** Options of a requirements file that say where packages come from: `--extra-index-url https://…`. */
  readonly options?: readonly string[];
  /** What the user should know about the files that it was read from. */
  readonly warnings?: readonly string[];
}

/** A built environment. */
export interface PythonEnvironment {
  /** Digest of what it was built from, hexadecimal; the name of its directory. */
  readonly key: string;
  /** Absolute path of its interpreter. */
  readonly python: string;
  /** `3.11.7` */
  readonly pythonVersion: string;
  /** `linux-x64` */
  readonly platform: string;
  /** The pinned packages as a requirements file, one line each, sorted. */
  readonly lock: string;
  /** `sha256:<hex>` of the lock. */
  readonly lockDigest: string;
  /** Name (normalised) → version. */
  readonly packages: Readonly<Record<string, string>>;
  /** Absolute paths of the project's own packages as they were built; the lock names them `wheels/<file name>`. */
  readonly wheels: readonly string[];
  /** What the user should know: another Python than the one asked for. */
  readonly warnings: readonly string[];
}

export interface PythonJobOptions {
  readonly environment: PythonEnvironment;
  /** Module below `millrace.jobs` whose `main(input, context)` is called: `split`. */
  readonly job: string;
  /** JSON; tables are paths of Parquet files. */
  readonly input: unknown;
  /** Working directory of the process: the root of the project's files. Errors thrown below it are the user's own. */
  readonly userRoot: string;
  /** Kills the job when it passes; no limit when absent. */
  readonly timeoutMs?: number;
  /** Limit of the resident memory of the whole process group, MiB. */
  readonly memoryMb?: number;
  readonly signal?: AbortSignal;
  /** Variables beside the few that are inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the job does, for messages about a process that just died. */
  readonly activity?: string;
  readonly onProgress?: (progress: JobProgress) => void;
  readonly onLog?: (line: OutputLine) => void;
  /** Takes the job's spans; by default they join the active trace. */
  readonly onSpans?: (spans: readonly ChildSpan[]) => void;
}
