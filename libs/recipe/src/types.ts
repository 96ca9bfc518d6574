import type { Violation } from '@millrace/errors';

/** Resolved recipe: legacy spellings mapped, defaults filled in, everything else as its author wrote it. */
export interface Recipe {
  readonly kind: RecipeKind;
  readonly task: Task;
  /** What runs everything from ingest to the model. */
  readonly runtime: Runtime;
  /** Why that is Python, each with the path of the setting or file; empty in `node`. */
  readonly pythonReasons: readonly string[];
  /** Name of the project. */
  readonly name: string;
  readonly profile: string;
  readonly seed: number;
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
  readonly targetColumn: string;
  /** Absent for regression and for more than two classes. */
  readonly positiveClass?: string | number | boolean;
  readonly primaryMetric: string;
  readonly customMetrics: readonly CustomMetric[];
  readonly experiment: { readonly name: string; readonly runNamePrefix?: string };
  readonly modelName: string;
  /** Sections with defaults, in the recipe's own spelling; absent steps are not part of the recipe. */
  readonly steps: Readonly<Partial<Record<StepName, StepSection>>>;
  /** MLflow's scoring graph, run on request only; absent steps are not part of the recipe. */
  readonly scoring: Readonly<Partial<Record<ScoringStepName, StepSection>>>;
  /** Why the scoring graph cannot run, with file and position; training can all the same. */
  readonly scoringProblems: readonly Violation[];
}

export type RecipeKind = 'regression/v1' | 'classification/v1';
/** A recipe runs in one of them as a whole. */
export type Runtime = 'node' | 'python';
export type Task = 'regression' | 'classification/binary' | 'classification/multiclass';

export const stepNames = [
  'ingest',
  'split',
  'transform',
  'train',
  'evaluate',
  'register',
  'deploy',
  'monitor',
] as const;
export type StepName = (typeof stepNames)[number];

/** The steps of batch scoring, in the order of their execution. */
export const scoringStepNames = ['ingest_scoring', 'predict'] as const;
export type ScoringStepName = (typeof scoringStepNames)[number];

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

export interface CustomMetric {
  readonly name: string;
  readonly function: string;
  readonly greaterIsBetter: boolean;
}

/** One step's settings. */
export interface StepSection {
  /** What the step's service reads; keys as in the recipe, durations as written. */
  readonly config: JsonObject;
  /** Milliseconds that one attempt may take. */
  readonly timeoutMs: number;
  /** Attempts after the first. */
  readonly retries: number;
  readonly cache: { readonly enabled: boolean; readonly ttlMs?: number };
}

/** The project's files as the loader sees them: paths relative to its root, `/` between parts. */
export interface ProjectFiles {
  readFile(path: string): string | undefined;
  listFiles(): readonly string[];
}
