import { readdirSync, readFileSync } from 'node:fs';

/** A process with everything it started. */
export const processTree = (root: number): number[] => {
  const childrenOf = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent === undefined) continue;
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(childrenOf.get(pid) ?? []));
  return tree;
};

const parentOf = (pid: number): number | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything, so count from its end: state, then parent.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
};

/** Clock ticks of proc(5) in a second: USER_HZ, which is 100 wherever Node runs. */
const ticksPerSecond = 100;

/** Processor time, user and system, that a process and all that it started have taken, also what has ended, milliseconds. */
export const processorMsOf = (root: number): number =>
  processTree(root).reduce((sum, pid) => sum + ownProcessorMs(pid), 0);

const ownProcessorMs = (pid: number): number => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // utime, stime, and those of children that were waited for.
    const ticks = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15);
    return (ticks.reduce((sum, each) => sum + Number(each), 0) * 1_000) / ticksPerSecond;
  } catch {
    return 0;
  }
};

export interface ProcessMemory {
  readonly name: string;
  /** Proportional set size: shared pages count by the number of processes that share them. MB of 2^20 bytes. */
  readonly pssMb: number;
  /** Resident set size, MB of 2^20 bytes. */
  readonly rssMb: number;
}

/** Memory of one process (Linux). */
export const memoryOf = (pid: number): ProcessMemory => {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const megabytes = (field: string) =>
    Number(rollup.match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'))?.[1]) / 1024;
  return {
    name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim(),
    pssMb: megabytes('Pss'),
    rssMb: megabytes('Rss'),
  };
};

/** Resident memory of one process, MB of 2^20 bytes; 0 once it has ended. Without walking its pages, which would hold it up. */
export const rssMbOf = (pid: number): number => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(status.match(/^VmRSS:\s+(\d+) kB/m)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
};
