import { matchesGlob } from 'node:path/posix';
import { normalizeProjectPath } from './project-path.ts';

/** Whether an ingest location is an address rather than a path of the project. */
export const isRemote = (location: string): boolean => /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(location);

/** The locations of an ingest section, each with its path inside the section. */
export const locationsOf = (
  ingest: Readonly<Record<string, unknown>>,
): readonly { readonly location: string; readonly path: readonly (string | number)[] }[] => {
  const { location } = ingest;
  if (typeof location === 'string') return [{ location, path: ['location'] }];
  if (!Array.isArray(location)) return [];
  return location.map((item, index) => ({ location: String(item), path: ['location', index] }));
};

/**
 * Files of the project that a location means: the file, those in the directory (top level, or at any depth when
 * `deep`), or those of the glob.
 */
export const filesAt = (location: string, paths: readonly string[], deep = false): readonly string[] => {
  if (/^\.\/*$/.test(location)) return paths.filter((path) => !path.includes('/'));
  const wanted = normalizeProjectPath(location);
  if (paths.includes(wanted)) return [wanted];
  if (/[*?[{]/.test(wanted)) return paths.filter((path) => matchesGlob(path, wanted));
  return paths.filter(
    (path) => path.startsWith(`${wanted}/`) && (deep || !path.slice(wanted.length + 1).includes('/')),
  );
};
