import type { ProjectFiles } from './types.ts';

/** In order of preference: where a step has code in both languages, the built-in runtime takes its own. */
const extensions = ['.ts', '.mts', '.js', '.mjs', '.py'] as const;

/** The file with a module's user functions (`train` → `steps/train.ts`), if the project has one. */
export const stepCodeFile = (module: string, files: ProjectFiles): string | undefined => {
  const present = new Set(files.listFiles());
  return extensions.map((extension) => `steps/${module}${extension}`).find((path) => present.has(path));
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
};
