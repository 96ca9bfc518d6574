import { mkdir, mkdtemp, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { PackageFiles } from './manifest.ts';

/**
 * Writes files of a package into a fresh directory and returns its path, which is the caller's to remove. The paths
 * of a manifest that was parsed lie inside it.
 */
export const layOut = async (files: PackageFiles): Promise<string> => {
  // The real path: user frames in errors are found by it.
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'millrace-model-')));
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), bytes);
  }
  return directory;
};
