import { constants } from 'node:fs';
import { access, mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type MillraceError, Unavailable } from '@millrace/errors';
import { childEnvironment, joinTrace, SupervisedChild } from '@millrace/jobs';
import { activeTraceHeaders } from '@millrace/telemetry';
import type { PythonJobOptions } from '../contract.ts';
import { errorOfThrown } from './failure.ts';
import { type FromWorker, readFrames, writeFrame } from './frames.ts';
import { whereaboutsOf } from './whereabouts.ts';

/** Directory that holds the package `millrace` for Python. */
export const pythonLibrary = fileURLToPath(new URL('../../python', import.meta.url));

/** What a worker is started with. */
export type PythonProcessOptions = Pick<PythonJobOptions, 'environment' | 'userRoot' | 'memoryMb' | 'env'>;

/** What one call may say beside its job and input. */
export interface CallOptions
  extends Pick<PythonJobOptions, 'timeoutMs' | 'signal' | 'activity' | 'onProgress' | 'onLog' | 'onSpans'> {
  /** Arrow IPC stream that goes with the input. */
  readonly table?: Uint8Array;
}

export interface CallResult<Output> {
  readonly output: Output;
  /** Arrow IPC stream that came with the output. */
  readonly table?: Uint8Array;
}

/**
 * A Python process that does jobs, one at a time, in the order in which they are given. Whatever ends it, everything that
 * it started and its directory go with it; it ends when this process does.
 */
export class PythonProcess {
  readonly #child: SupervisedChild;
  readonly #userRoot: string;
  #onFrame: (frame: FromWorker, payload: Uint8Array) => void = () => {};
  #calls = 0;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(directory: string, userRoot: string, options: PythonProcessOptions) {
    this.#userRoot = userRoot;
    this.#child = new SupervisedChild({
      command: options.environment.python,
      args: ['-m', 'millrace.worker'],
      directory,
      cwd: userRoot,
      env: childEnvironment(process.env, directory, { ...workerVariables, ...options.env }),
      // The worker reads its frames from the first and writes them to the second: descriptors 3 and 4.
      channels: ['pipe', 'pipe'],
      ...(options.memoryMb === undefined ? {} : { memoryMb: options.memoryMb }),
      whereabouts: (child) => whereaboutsOf(child, directory, userRoot),
    });
    const [, , , input, output] = this.#child.process.stdio;
    // A worker that is killed breaks its pipes; how it ended is told by its exit. Both are absent when it never started.
    input?.on('error', () => {});
    output?.on('error', () => {});
    if (output) readFrames(output as Readable, (frame, payload) => this.#onFrame(frame, payload));
  }

  /**
   * Starts a worker with a home and a temporary directory of its own. Throws `Unavailable` when its environment is gone.
   */
  static async start(options: PythonProcessOptions): Promise<PythonProcess> {
    await access(options.environment.python, constants.X_OK).catch(() => {
      throw new Unavailable(
        `there is no Python at ${options.environment.python}: its environment was removed`,
        {
          hint: 'Try again: it is built anew.',
        },
      );
    });
    const userRoot = await realpath(options.userRoot);
    // The name tells the worker that the directory is its own to remove: `worker/watchdog.py`.
    return new PythonProcess(await mkdtemp(join(tmpdir(), 'millrace-python-')), userRoot, options);
  }

  get alive(): boolean {
    return this.#child.alive;
  }

  /** Lets this process exit although the worker lives: it ends then. */
  unref(): void {
    this.#child.unref();
    for (const stream of this.#child.process.stdio) (stream as Unrefable | null)?.unref?.();
  }

  ref(): void {
    this.#child.ref();
    for (const stream of this.#child.process.stdio) (stream as Unrefable | null)?.ref?.();
  }

  /**
   * Does one job, after those that were given before it. Rejects with an error of the taxonomy when it raises, dies, passes
   * its time or memory, or is told to stop; after any of these but a raised exception the process is gone.
   */
  call<Output>(job: string, input: unknown, options: CallOptions = {}): Promise<CallResult<Output>> {
    const result = this.#last.then(() => this.#call<Output>(job, input, options));
    this.#last = result.catch(() => {});
    return result;
  }

  async #call<Output>(job: string, input: unknown, options: CallOptions): Promise<CallResult<Output>> {
    if (!this.alive) throw new Unavailable('the Python process has ended', { hint: 'Start another one.' });
    this.#calls += 1;
    const id = this.#calls;
    try {
      const answer = await this.#child.exchange<CallResult<Output>>(
        { activity: job, ...options },
        (resolve, reject) => {
          this.#onFrame = (frame, payload) => this.#take(frame, payload, options, resolve, reject);
          const header = {
            type: 'run',
            id,
            job,
            input,
            userRoot: this.#userRoot,
            ...activeTraceHeaders(),
          } as const;
          const stream = this.#child.process.stdio[3] as Writable | null;
          if (stream) writeFrame(stream, header, options.table);
        },
      );
      // Output that was written before the answer may arrive just after it.
      await turn();
      await turn();
      return answer;
    } finally {
      this.#onFrame = () => {};
    }
  }

  #take<Output>(
    frame: FromWorker,
    payload: Uint8Array,
    options: CallOptions,
    resolve: (result: CallResult<Output>) => void,
    reject: (error: MillraceError) => void,
  ): void {
    switch (frame.type) {
      case 'ready':
        return;
      case 'progress':
        options.onProgress?.({ fraction: frame.fraction, message: frame.message });
        return;
      case 'activity':
        this.#child.activity = frame.activity;
        return;
      case 'spans':
        (options.onSpans ?? joinTrace)(frame.spans);
        return;
      case 'result':
        resolve({
          output: frame.output as Output,
          ...(payload.length === 0 ? {} : { table: payload }),
        });
        return;
      case 'thrown':
        reject(errorOfThrown(frame, this.#child.activity));
    }
  }

  /** Kills the process and everything it started; resolves when it is gone and its output is read. */
  kill(): Promise<void> {
    return this.#child.kill();
  }
}

interface Unrefable {
  ref?: () => void;
  unref?: () => void;
}

const workerVariables = {
  PYTHONPATH: pythonLibrary,
  PYTHONHASHSEED: '0',
  PYTHONUNBUFFERED: '1',
  // Else the user's own files would come before the standard library.
  PYTHONSAFEPATH: '1',
  PYTHONIOENCODING: 'utf-8',
  // There is no display.
  MPLBACKEND: 'Agg',
};
