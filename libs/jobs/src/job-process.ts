import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MillraceError } from '@millrace/errors';
import { activeTraceHeaders } from '@millrace/telemetry';
import { compileCacheDirectory } from './compile-cache.ts';
import { childEnvironment } from './environment.ts';
import { errorOfThrown } from './failure.ts';
import { joinTrace } from './join-trace.ts';
import type { OutputLine } from './output.ts';
import { type Permissions, permissionFlags } from './permissions.ts';
import type { ChildSpan, FromChild, JobProgress, ToChild } from './protocol.ts';
import { SupervisedChild } from './supervised-child.ts';

export interface ProcessOptions {
  /** Limit of the JavaScript heap; the whole process may hold twice as much. Default 1024. */
  readonly memoryMb?: number;
  /** Variables beside the few that are inherited; see `childEnvironment`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Given for user code: what it may touch on disk. It may start no processes and load no native code then. */
  readonly permissions?: Permissions;
}

export interface RunOptions {
  /** Module whose default export is a `JobMain`. */
  readonly entry: URL;
  /** Structured clone; keep big data in files or typed arrays. */
  readonly input: unknown;
  /** Kills the job when it passes; no limit when absent. */
  readonly timeoutMs?: number;
  /** Kills the job and rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Root of the user's files: errors thrown there are theirs and name file and line. */
  readonly userRoot?: string;
  /** What the job does, for messages about a process that just died. */
  readonly activity?: string;
  readonly onProgress?: (progress: JobProgress) => void;
  readonly onLog?: (line: OutputLine) => void;
  /** Answers `ask` of the job. */
  readonly onQuestion?: (question: unknown) => unknown;
  /** Takes the job's spans; by default they join the active trace. */
  readonly onSpans?: (spans: readonly ChildSpan[]) => void;
}

const defaultMemoryMb = 1024;
const childMain = fileURLToPath(new URL('./child/start.mjs', import.meta.url));

const compiled = ({ permissions }: ProcessOptions): Record<string, string> =>
  permissions === undefined ? { NODE_COMPILE_CACHE: compileCacheDirectory() } : {};

/** A child process that does jobs, one at a time. Whatever ends it, its whole process group goes with it. */
export class JobProcess {
  readonly #child: SupervisedChild;
  #onMessage: (message: FromChild) => void = () => {};

  private constructor(directory: string, options: ProcessOptions) {
    const memoryMb = options.memoryMb ?? defaultMemoryMb;
    this.#child = new SupervisedChild(
      {
        command: process.execPath,
        args: [
          `--max-old-space-size=${memoryMb}`,
          '--disable-warning=ExperimentalWarning',
          '--disable-warning=SecurityWarning',
          ...permissionFlags(options.permissions, directory),
          childMain,
        ],
        directory,
        env: childEnvironment(process.env, directory, { ...compiled(options), ...options.env }),
        channels: ['ipc'],
        // Buffers and WebAssembly lie outside the JavaScript heap.
        memoryMb: memoryMb * 2,
      },
      { serialization: 'advanced' },
    );
    this.#child.process.on('message', (message) => this.#onMessage(message as FromChild));
  }

  /** Starts a child in a fresh directory of its own, which goes when it ends. */
  static async start(options: ProcessOptions = {}): Promise<JobProcess> {
    return new JobProcess(await mkdtemp(join(tmpdir(), 'millrace-job-')), options);
  }

  get alive(): boolean {
    return this.#child.alive && this.#child.process.connected;
  }

  /** The directory that the child runs in. */
  get directory(): string {
    return this.#child.directory;
  }

  /** Lets the parent exit although the child lives (it ends with its parent). */
  unref(): void {
    this.#child.unref();
  }

  ref(): void {
    this.#child.ref();
  }

  /**
   * Does one job. Rejects with an error of the taxonomy when it throws, dies, passes its time or memory, or is
   * told to stop; after any of these but a throw, the child is gone.
   */
  async run<Output>(options: RunOptions): Promise<Output> {
    try {
      return await this.#child.exchange<Output>(options, (resolve, reject) => {
        this.#onMessage = (message) => this.#take(message, options, resolve, reject);
        this.#post({
          type: 'run',
          entry: options.entry.href,
          input: options.input,
          ...activeTraceHeaders(),
          ...(options.userRoot === undefined ? {} : { userRoot: options.userRoot }),
        });
      });
    } finally {
      this.#child.mute();
      this.#onMessage = () => {};
    }
  }

  #take<Output>(
    message: FromChild,
    options: RunOptions,
    resolve: (output: Output) => void,
    reject: (error: MillraceError) => void,
  ): void {
    switch (message.type) {
      case 'ready':
        return;
      case 'progress':
        options.onProgress?.(message.progress);
        return;
      case 'activity':
        this.#child.activity = message.activity;
        return;
      case 'question':
        void this.#answer(message.id, message.value, options);
        return;
      case 'spans':
        (options.onSpans ?? joinTrace)(message.spans);
        return;
      case 'result':
        resolve(message.output as Output);
        return;
      case 'thrown':
        // It is about to end: the next job must not be given to it.
        if (message.last === true) this.#child.retire();
        reject(errorOfThrown(message.thrown, options.userRoot, this.#child.activity));
    }
  }

  async #answer(id: number, question: unknown, options: RunOptions): Promise<void> {
    const value = await options.onQuestion?.(question);
    this.#post({ type: 'reply', id, value });
  }

  #post(message: ToChild): void {
    // A child that died meanwhile is told of by its exit.
    if (this.#child.process.connected) this.#child.process.send(message, () => {});
  }

  /** Kills the child and everything it started; resolves when it is gone. */
  kill(): Promise<void> {
    return this.#child.kill();
  }
}
