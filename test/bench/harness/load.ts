import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Result } from 'autocannon';
import { mustHold } from './benchmark.ts';

/** Puts a command on one core, so that server and load generator do not take turns; where that is possible. */
export const onCore = (core: number): readonly string[] => (canPin() ? ['taskset', '-c', String(core)] : []);

/** The same for a process that runs, with all its threads. */
export const moveToCore = (pid: number, core: number): void => {
  if (canPin()) spawnSync('taskset', ['-acp', String(core), String(pid)]);
};

let pins: boolean | undefined;
const canPin = (): boolean => {
  pins ??= cpus().length > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;
  return pins;
};

export interface Load {
  readonly url: string;
  /** Sent in turn by each connection. */
  readonly bodies: readonly string[];
  /** Keep-alive connections, each with one request at a time. */
  readonly connections: number;
  /** Requests in all; every one of them is waited for. */
  readonly amount: number;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const client = fileURLToPath(new URL('./load-client.ts', import.meta.url));

/**
 * POSTs the bodies from a process of its own on the second core, closed loop.
 *
 * @throws VoidRun unless every request was answered with success
 */
export const generateLoad = async (load: Load): Promise<LoadResult> => {
  const flags = ['--disable-warning=ExperimentalWarning', client];
  const [command = '', ...args] = [...onCore(1), process.execPath, ...flags];
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.send(load);
  const [result] = (await once(child, 'message')) as [Result];
  const { amount } = load;
  mustHold(
    result['2xx'] === amount && result.errors === 0 && result.timeouts === 0,
    () =>
      `${result['2xx']} of ${amount} requests succeeded, ${result.non2xx} were refused, ${result.errors} broke`,
  );
  return { perSecond: amount / result.duration, p50Ms: result.latency.p50, p99Ms: result.latency.p99 };
};
