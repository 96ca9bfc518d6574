import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a running Millrace tells the command line, in `<data directory>/running.json`. */
export interface RunningState {
  readonly pid: number;
  /** Address of the gateway. */
  readonly url: string;
  readonly natsUrl: string;
  readonly mode: 'embedded' | 'separate';
  /** Process id by part, in the separate mode. */
  readonly pids: Readonly<Record<string, number>>;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

const fileOf = (dataDir: string) => join(dataDir, 'running.json');

/** The running Millrace of a data directory, or `undefined` when none runs there. */
export const readRunningState = async (dataDir: string): Promise<RunningState | undefined> => {
  try {
    const state = JSON.parse(await readFile(fileOf(dataDir), 'utf8')) as RunningState;
    return isAlive(state.pid) ? state : undefined;
  } catch {
    // Missing, or cut off by a crash: either way nobody is known to run.
    return undefined;
  }
};

export const writeRunningState = async (dataDir: string, state: RunningState): Promise<void> => {
  const file = fileOf(dataDir);
  await writeFile(`${file}.${process.pid}`, JSON.stringify(state, null, 2), { mode: 0o600 });
  await rename(`${file}.${process.pid}`, file);
};

export const removeRunningState = (dataDir: string): Promise<void> => rm(fileOf(dataDir), { force: true });

/** Whether a process with that id exists. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
};
