import { readFile, readlink } from 'node:fs/promises';

/**
 * Where a process runs: equal for two processes only when one can see whether the other lives, that is on the same
 * boot of the same kernel and in the same namespace of process ids. `undefined` where that cannot be told.
 */
export const processPlace = async (): Promise<string | undefined> => {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    return `${boot}/${await readlink('/proc/self/ns/pid')}`;
  } catch {
    return undefined;
  }
};

/** Whether a process of this place has ended. One that has our own id must have: it was here before us. */
export const hasEnded = (pid: number, ours = process.pid): boolean => {
  if (pid === ours) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ESRCH';
  }
};
