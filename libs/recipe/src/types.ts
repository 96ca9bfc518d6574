/** Resolved recipe: legacy spellings mapped, defaults filled in, everything else as its author wrote it. */
export interface Recipe {
  readonly kind: RecipeKind;
  readonly task: Task;
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
  /** MLflow's scoring graph, validated and kept as written. */
  readonly scoring: { readonly ingest_scoring?: JsonObject; readonly predict?: JsonObject };
}

export type RecipeKind = 'regression/v1' | 'classification/v1';
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
