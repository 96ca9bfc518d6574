import { posix } from 'node:path';
import { fileNamesIn, isRequirementsFile } from '../plan/python-files.ts';
import type { ProjectFiles, Recipe, StepSection } from '../types.ts';
import { filesAt, isRemote, locationsOf } from './locations.ts';

/** Directories that never belong to a snapshot, at any depth. */
export const ignoredDirectories: ReadonlySet<string> = new Set([
  '.git',
  '.hg',
  '.svn',
  '.venv',
  'venv',
  'node_modules',
  '__pycache__',
  '.ipynb_checkpoints',
  '.millrace',
  'mlruns',
  'mlartifacts',
  'metadata',
]);

const codeOrSettings = /\.(?:ya?ml|json|toml|ts|mts|js|mjs|py|sql|cfg|ini|lock)$/;
/** What Python code reads beside its arguments: a table of codes, a list of words, a fitted object. */
const smallData =
  /\.(?:csv|tsv|txt|parquet|feather|arrow|jsonl|ndjson|npy|npz|pkl|pickle|joblib|xlsx?|xml|html|db|sqlite|gz|zip)$/;
/** Larger files with such endings are data, not settings. */
const maxSettingsSize = 1_048_576;

/** A file found in the project's directory. */
export interface FoundFile {
  readonly path: string;
  readonly size: number;
}

/** What of a recipe decides which files a run of it needs. */
export type SnapshotRecipe = Pick<Recipe, 'runtime' | 'steps' | 'scoring'>;

/**
 * Which files a snapshot needs: code and settings up to 1 MiB, and whatever `location` of ingest and ingest_scoring
 * names. Python code reads files as it likes: for it small data files come along, and those of any size that it
 * names. Hidden files, environments and MLflow's own state are left out.
 */
export const selectProjectFiles = (
  found: readonly FoundFile[],
  recipe: SnapshotRecipe,
  readFile: ProjectFiles['readFile'],
): readonly FoundFile[] => {
  const candidates = found.filter(({ path }) => !isIgnored(path));
  const paths = candidates.map(({ path }) => path);
  const data = new Set(
    [recipe.steps.ingest, recipe.scoring.ingest_scoring].flatMap((step) => dataOf(step, paths)),
  );
  const isRead = recipe.runtime === 'python' ? readByPython(paths, readFile) : () => false;
  return candidates.filter(
    ({ path, size }) => data.has(path) || isSettings(path, size) || isRead(path, size),
  );
};

const dataOf = (step: StepSection | undefined, paths: readonly string[]): readonly string[] => {
  const config = step?.config ?? {};
  return locationsOf(config)
    .filter(({ location }) => !isRemote(location))
    .flatMap(({ location }) => filesAt(location, paths, config.using === 'delta'));
};

const readByPython = (paths: readonly string[], readFile: ProjectFiles['readFile']) => {
  const code = paths.filter((path) => path.endsWith('.py'));
  const named = new Set(code.flatMap((path) => [...fileNamesIn(readFile(path) ?? '')]));
  return (path: string, size: number): boolean =>
    named.has(posix.basename(path)) || (smallData.test(path) && size <= maxSettingsSize);
};

const isSettings = (path: string, size: number): boolean =>
  isRequirementsFile(path) || (codeOrSettings.test(path) && size <= maxSettingsSize);

const isIgnored = (path: string): boolean => {
  const parts = path.split('/');
  return parts.some(
    (part, depth) => (depth < parts.length - 1 && ignoredDirectories.has(part)) || isHidden(part),
  );
};

const isHidden = (part: string): boolean => part.startsWith('.') && part !== '.python-version';
