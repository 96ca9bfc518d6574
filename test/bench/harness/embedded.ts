import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VoidRun } from './benchmark.ts';

/** A whole Millrace in its embedded mode, as `millrace up` starts it. */
export interface EmbeddedMillrace {
  readonly url: string;
  readonly natsUrl: string;
  readonly pid: number;
  /** From the start of the process to its word that all services are ready, milliseconds. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

type Message = {
  readonly ready?: { readonly url: string; readonly natsUrl: string };
  readonly failed?: unknown;
};

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  /** Put before the command, for instance `['taskset', '-c', '0']`. */
  readonly prefix?: readonly string[];
  /** Flags of Node, for profiling by hand. */
  readonly nodeFlags?: readonly string[];
}

export const startEmbedded = async (options: EmbeddedOptions): Promise<EmbeddedMillrace> => {
  await mkdir(options.dataDir, { recursive: true });
  const entry = fileURLToPath(import.meta.resolve('@millrace/embedded/main'));
  const flags = ['--disable-warning=ExperimentalWarning', ...(options.nodeFlags ?? [])];
  const [command = '', ...args] = [...(options.prefix ?? []), process.execPath, ...flags, entry];
  const startedAt = performance.now();
  const child = spawn(command, args, {
    env: {
      ...options.env,
      MILLRACE_DATA_DIR: options.dataDir,
      MILLRACE_PORT: '0',
      MILLRACE_LOG_FILE: join(options.dataDir, 'millrace.log'),
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const { url, natsUrl } = await readyOf(child);
  return {
    url,
    natsUrl,
    pid: child.pid ?? 0,
    readyMs: performance.now() - startedAt,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
};

const readyOf = (child: ChildProcess): Promise<{ url: string; natsUrl: string }> =>
  new Promise((resolve, reject) => {
    child.on('message', ({ ready, failed }: Message) => {
      if (ready !== undefined) resolve(ready);
      if (failed !== undefined) reject(new VoidRun(`Millrace did not start: ${JSON.stringify(failed)}`));
    });
    child.once('exit', (code) => reject(new VoidRun(`Millrace ended with code ${code} while starting`)));
  });

/** Runs `work` in a directory of its own, which goes afterwards. */
export const inDirectory = async <T>(work: (directory: string) => Promise<T>): Promise<T> => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};
