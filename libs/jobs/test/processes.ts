import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** Whether the process exists and is more than an entry that nobody has collected yet. */
export const isRunning = async (pid: number): Promise<boolean> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && stat.split(') ')[1]?.[0] !== 'Z';
};

/** Processes that a process started and that run. */
export const childrenOf = async (
  parent: number,
): Promise<readonly { readonly pid: number; readonly command: string }[]> => {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      const [state, ppid] = stat.split(') ').at(-1)?.split(' ') ?? [];
      return state !== 'Z' && Number(ppid) === parent ? [{ pid, command }] : [];
    }),
  );
  return found.flat();
};

/** Resolves when the processes are gone; the test's own time limit is the limit. */
export const gone = async (pids: readonly number[]): Promise<void> => {
  for (const pid of pids) while (await isRunning(pid)) await wait(20);
};
