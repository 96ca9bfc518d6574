import { execFile, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
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
  readonly body: string;
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

interface Report {
  readonly '2xx': number;
  readonly non2xx: number;
  readonly errors: number;
  readonly timeouts: number;
  /** Seconds. */
  readonly duration: number;
  readonly latency: { readonly p50: number; readonly p99: number };
}

const autocannon = join(
  dirname(createRequire(import.meta.url).resolve('autocannon/package.json')),
  'autocannon.js',
);

const sampleMs = 5;

/**
 * POSTs the body from a process of its own on the second core, closed loop.
 *
 * @throws VoidRun unless every request was answered with success
 */
export const generateLoad = async ({ url, body, connections, amount }: Load): Promise<LoadResult> => {
  // It ends at a sample, so that long samples would round its duration up.
  const flags = ['-L', String(sampleMs), '-c', String(connections), '-a', String(amount), '-n', '-j'];
  const request = ['-m', 'POST', '-H', 'content-type=application/json', '-b', body, url];
  const [command = '', ...args] = [...onCore(1), process.execPath, autocannon, ...flags, ...request];
  const { stdout } = await promisify(execFile)(command, args, { maxBuffer: 2 ** 24 });
  const report = JSON.parse(stdout) as Report;
  mustHold(
    report['2xx'] === amount && report.errors === 0 && report.timeouts === 0,
    () =>
      `${report['2xx']} of ${amount} requests succeeded, ${report.non2xx} were refused, ${report.errors} broke`,
  );
  return { perSecond: amount / report.duration, p50Ms: report.latency.p50, p99Ms: report.latency.p99 };
};
