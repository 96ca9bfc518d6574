import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Directories that user code may touch beside its own fresh one. */
export interface Permissions {
  readonly read: readonly string[];
  readonly write?: readonly string[];
}

/** Where the harness and what it imports lie: the nearest directory above that holds `node_modules`. */
const codeRoot = (): string => {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'node_modules')) && dirname(directory) !== directory) {
    directory = dirname(directory);
  }
  return directory;
};

/**
 * Flags of Node's permission model (https://nodejs.org/api/permissions.html): no writing outside the job's
 * directory, no child processes, no native addons, no threads, which would not inherit any of this. It guards against
 * accidents, not against an attacker.
 */
export const permissionFlags = (permissions: Permissions | undefined, directory: string): string[] => {
  if (permissions === undefined) return [];
  const real = (path: string) => realpathSync(path);
  const read = [codeRoot(), directory, ...permissions.read].map(real);
  const write = [directory, ...(permissions.write ?? [])].map(real);
  return [
    '--permission',
    ...read.map((path) => `--allow-fs-read=${path}`),
    ...write.map((path) => `--allow-fs-write=${path}`),
  ];
};
