import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** No evaluation lasts this long, so an older directory belongs to a process that died. */
const oldestMs = 24 * 60 * 60 * 1000;

/** Removes what evaluations of killed processes left in the service's directory for temporary files. */
export const removeLeftovers = async (directory: string, now: number): Promise<void> => {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const { mtimeMs } = await stat(path);
    if (now - mtimeMs > oldestMs) await rm(path, { recursive: true, force: true });
  }
};
