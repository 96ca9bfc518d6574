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
const requirements = /(?:^|\/)(?:requirements[\w.-]*\.txt|constraints[\w.-]*\.txt|\.python-version)$/;
/** Larger files with such endings are data, not settings. */
const maxSettingsSize = 1_048_576;

/** A file found in the project's directory. */
export interface FoundFile {
  readonly path: string;
  readonly size: number;
}

/**
 * Which files a snapshot needs: code and settings up to 1 MiB, and whatever `ingest.location` names. Hidden files,
 * environments and MLflow's own state are left out.
 */
export const selectProjectFiles = (
  found: readonly FoundFile[],
  ingest: Readonly<Record<string, unknown>>,
): readonly FoundFile[] => {
  const candidates = found.filter(({ path }) => !isIgnored(path));
  const paths = candidates.map(({ path }) => path);
  const data = new Set(
    locationsOf(ingest)
      .filter(({ location }) => !isRemote(location))
      .flatMap(({ location }) => filesAt(location, paths)),
  );
  return candidates.filter(({ path, size }) => data.has(path) || isSettings(path, size));
};

const isSettings = (path: string, size: number): boolean =>
  requirements.test(path) || (codeOrSettings.test(path) && size <= maxSettingsSize);

const isIgnored = (path: string): boolean => {
  const parts = path.split('/');
  return parts.some(
    (part, depth) => (depth < parts.length - 1 && ignoredDirectories.has(part)) || isHidden(part),
  );
};

const isHidden = (part: string): boolean => part.startsWith('.') && part !== '.python-version';
