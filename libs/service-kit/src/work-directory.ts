import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** A directory for one execution of a step, removed when disposed. */
export interface WorkDirectory extends AsyncDisposable {
  readonly path: string;
}

// The name tells whose it is, so that what a killed process left behind can be told from what is in use.
const host = hostname().replaceAll(/[^A-Za-z0-9.]/g, '.');
const pattern = /^step_(?<host>[A-Za-z0-9.]*)_(?<pid>\d+)_/;

export const makeWorkDirectory = async (parent: string): Promise<WorkDirectory> => {
  const path = await mkdtemp(join(parent, `step_${host}_${process.pid}_`));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
};

const foreignMaxAgeMs = 48 * 3_600_000;

/**
 * Removes what executions of dead processes left behind; call it before the first execution of this one. Directories
 * of other hosts are judged by their age. `now` is in milliseconds since the epoch.
 */
export const removeStaleDirectories = async (parent: string, now: number): Promise<void> => {
  for (const name of await readdir(parent)) {
    const owner = pattern.exec(name)?.groups;
    if (owner === undefined) continue;
    const path = join(parent, name);
    const stale =
      owner.host === host
        ? !isOtherAlive(Number(owner.pid))
        : now - (await stat(path)).mtimeMs > foreignMaxAgeMs;
    if (stale) await rm(path, { recursive: true, force: true });
  }
};

/** Whether another process of that id runs. This one has made nothing yet, so what bears its id is older. */
const isOtherAlive = (pid: number): boolean => {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};
