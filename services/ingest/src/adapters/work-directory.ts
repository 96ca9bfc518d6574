import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A directory for one execution of a step, removed when disposed. */
export interface WorkDirectory extends AsyncDisposable {
  readonly path: string;
}

const prefix = 'step-';

export const makeWorkDirectory = async (parent: string): Promise<WorkDirectory> => {
  const path = await mkdtemp(join(parent, prefix));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
};

/** Removes what executions of a process that was killed left behind; younger ones may be another process's. */
export const removeStaleDirectories = async (
  parent: string,
  now: number,
  maxAgeMs = 48 * 3_600_000,
): Promise<void> => {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(parent, name);
    const { mtimeMs } = await stat(path);
    if (now - mtimeMs > maxAgeMs) await rm(path, { recursive: true, force: true });
  }
};
