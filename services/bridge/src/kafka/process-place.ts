import { randomUUID } from 'node:crypto';
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

/** Tells this process from an earlier one with the same id, as in a container that was started again. */
export const incarnation = randomUUID();

/** A process of a place. */
export interface PlacedProcess {
  readonly place: string;
  readonly pid: number;
  readonly incarnation: string;
}

/** Whether a process of our own place has ended. Another with our own id must have: it was here before us. */
export const hasEnded = ({ pid, incarnation: theirs }: PlacedProcess): boolean => {
  if (pid === process.pid) return theirs !== incarnation;
  try {
    process.kill(pid, 0);
    return false;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ESRCH';
  }
};
