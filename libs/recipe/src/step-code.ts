import type { ProjectFiles, Runtime } from './types.ts';

/** In order of preference: where a step has code in both languages, the built-in runtime takes its own. */
const extensions: Readonly<Record<Runtime, readonly string[]>> = {
  node: ['.ts', '.mts', '.js', '.mjs'],
  python: ['.py'],
};

/**
 * The file with a module's user functions (`train` → `steps/train.ts`), if the project has one; without a runtime
 * the first of either language.
 */
export const stepCodeFile = (module: string, files: ProjectFiles, runtime?: Runtime): string | undefined => {
  const present = new Set(files.listFiles());
  const wanted = runtime === undefined ? [...extensions.node, ...extensions.python] : extensions[runtime];
  return wanted.map((extension) => `steps/${module}${extension}`).find((path) => present.has(path));
};

/** Which user function of which module a recipe names where. */
export interface FunctionReference {
  readonly module: string;
  readonly key: string;
}

/** Keys of each step section that name a function, and the module that holds it. */
export const functionKeys: Readonly<Record<string, readonly FunctionReference[]>> = {
  ingest: [{ module: 'ingest', key: 'loader_method' }],
  split: [
    { module: 'split', key: 'split_method' },
    { module: 'split', key: 'post_split_filter_method' },
    { module: 'split', key: 'post_split_method' },
  ],
  transform: [{ module: 'transform', key: 'transformer_method' }],
  train: [{ module: 'train', key: 'estimator_method' }],
  ingest_scoring: [{ module: 'ingest', key: 'loader_method' }],
};

/** A function of the project's own that ends the search; a dotted one belongs to a package. */
export const earlyStopFunction = (train: Readonly<Record<string, unknown>>): string | undefined => {
  const tuning = train.tuning as { enabled?: unknown; early_stop_fn?: unknown } | null | undefined;
  const name = tuning?.early_stop_fn;
  if (tuning?.enabled !== true || typeof name !== 'string') return undefined;
  return name.includes('.') ? undefined : name;
};
