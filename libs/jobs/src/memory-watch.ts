import { readdir, readFile } from 'node:fs/promises';

/** Bytes per page of `/proc/<pid>/statm` on the platforms that Node supports. */
const pageBytes = 4096;
const checkEveryMs = 250;

/**
 * Calls back once when the process and what it started hold more than `limitMb` in memory (resident set; pages that
 * they share count once). Where there is no `/proc` it watches nothing.
 */
export const watchMemory = (pid: number, limitMb: number, onExceeded: () => void): (() => void) => {
  const limit = limitMb * 1024 * 1024;
  let busy = false;
  const timer = setInterval(async () => {
    if (busy) return;
    busy = true;
    const exceeded = await exceeds(pid, limit).catch(() => false);
    busy = false;
    if (!exceeded) return;
    clearInterval(timer);
    onExceeded();
  }, checkEveryMs);
  timer.unref();
  return () => clearInterval(timer);
};

const exceeds = async (pid: number, limit: number): Promise<boolean> => {
  const pids = await withDescendants(pid);
  if ((await total(pids, residentBytes)) <= limit) return false;
  // A forked process shares most pages with its parent: the cheap sum counts them twice, the costly one does not.
  return pids.length === 1 || (await total(pids, proportionalBytes)) > limit;
};

const total = async (pids: readonly number[], bytesOf: (pid: number) => Promise<number>): Promise<number> =>
  (await Promise.all(pids.map(bytesOf))).reduce((sum, bytes) => sum + bytes, 0);

/** The process and all below it. */
const withDescendants = async (pid: number): Promise<number[]> => {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  const children = lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
  return [pid, ...(await Promise.all(children.map(withDescendants))).flat()];
};

const residentBytes = async (pid: number): Promise<number> => {
  const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
  return Number(statm.split(' ')[1] ?? 0) * pageBytes;
};

const proportionalBytes = async (pid: number): Promise<number> => {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => undefined);
  const kilobytes = /^Pss:\s+(\d+) kB/m.exec(rollup ?? '')?.[1];
  return kilobytes === undefined ? residentBytes(pid) : Number(kilobytes) * 1024;
};
