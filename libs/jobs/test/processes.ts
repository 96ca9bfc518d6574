import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** Whether the process exists and is more than an entry that nobody has collected yet. */
export const isRunning = async (pid: number): Promise<boolean> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && stat.split(') ')[1]?.[0] !== 'Z';
};

/** Resolves when the processes are gone; the test's own time limit is the limit. */
export const gone = async (pids: readonly number[]): Promise<void> => {
  for (const pid of pids) while (await isRunning(pid)) await wait(20);
};
