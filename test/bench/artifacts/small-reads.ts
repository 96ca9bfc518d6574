import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { mustHold, VoidRun } from '../harness/benchmark.ts';

export type ToReader = 'begin' | 'end' | 'close';
export type FromReader = 'ready' | { readonly latencies: readonly number[] } | { readonly failed: string };

const script = fileURLToPath(new URL('./reader-process.ts', import.meta.url));

/** A process that asks a gateway for a small page, a hundred times a second while it is told to. */
export interface SmallReads {
  /**
   * Latencies of the reads that became due while work went on, milliseconds.
   *
   * @throws VoidRun when any of them failed
   */
  during(work: () => Promise<void>): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** Resolves once it has read for a while unmeasured. */
export const startSmallReads = async (url: string): Promise<SmallReads> => {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, url], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const answer = async (): Promise<FromReader> => {
    const [message] = await Promise.race([once(child, 'message'), ended]);
    mustHold(child.exitCode === null, () => 'the process of the small reads ended');
    return message as FromReader;
  };
  const say = (message: ToReader) => void child.send(message);
  await answer();
  return {
    during: async (work) => {
      const answered = answer();
      say('begin');
      await work().finally(() => say('end'));
      const message = await answered;
      if (typeof message === 'object' && 'latencies' in message) return message.latencies;
      throw new VoidRun(`a small read failed: ${JSON.stringify(message)}`);
    },
    close: async () => {
      say('close');
      await ended;
    },
  };
};
