import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asMillraceError, Cancelled, type MillraceError, TimedOut } from '@millrace/errors';
import { activeTraceHeaders, emitSpan } from '@millrace/telemetry';
import { childEnvironment } from './environment.ts';
import { errorOfExit, errorOfThrown, outOfMemory } from './failure.ts';
import { watchMemory } from './memory-watch.ts';
import { type OutputLine, OutputReader } from './output.ts';
import { type Permissions, permissionFlags } from './permissions.ts';
import type { ChildSpan, FromChild, JobProgress, ToChild } from './protocol.ts';

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
const childMain = fileURLToPath(new URL('./child/main.ts', import.meta.url));

/** Spans of the child that name no caller's sink join the trace of the parent. */
const joinTrace = (spans: readonly ChildSpan[]): void => {
  for (const span of spans) emitSpan(span);
};

/** A child process that does jobs, one at a time. Whatever ends it, its whole process group goes with it. */
export class JobProcess {
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #memoryMb: number;
  readonly #stderr: OutputReader;
  readonly #stopMemoryWatch: () => void;
  readonly #exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #onLine: (line: OutputLine) => void = () => {};
  #onMessage: (message: FromChild) => void = () => {};
  #onFailure: (error: MillraceError) => void = () => {};
  #activity = 'the job';
  #alive = true;

  private constructor(directory: string, options: ProcessOptions) {
    this.#directory = directory;
    this.#memoryMb = options.memoryMb ?? defaultMemoryMb;
    this.#child = spawn(
      process.execPath,
      [
        `--max-old-space-size=${this.#memoryMb}`,
        '--disable-warning=ExperimentalWarning',
        '--disable-warning=SecurityWarning',
        ...permissionFlags(options.permissions, directory),
        childMain,
      ],
      {
        cwd: directory,
        env: childEnvironment(process.env, directory, options.env),
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        serialization: 'advanced',
        // Its own process group, so that what it starts can be killed with it.
        detached: true,
      },
    );
    const onLine = (line: OutputLine) => this.#onLine(line);
    if (this.#child.stdout !== null) new OutputReader(this.#child.stdout, 'stdout', onLine);
    this.#stderr = new OutputReader(this.#child.stderr ?? missingStream(), 'stderr', onLine);
    this.#child.on('message', (message) => this.#onMessage(message as FromChild));
    this.#child.on('error', (error) => this.#onFailure(asMillraceError(error)));
    this.#exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#alive = false;
        resolve({ code, signal });
      });
    });
    this.#stopMemoryWatch =
      this.#child.pid === undefined
        ? () => {}
        : watchMemory(this.#child.pid, this.#memoryMb * 2, () => {
            this.#onFailure(outOfMemory(this.#memoryMb * 2, this.#activity));
            this.#killGroup();
          });
    void this.#exited.then(() => this.#cleanUp());
  }

  /** Starts a child in a fresh directory of its own, which goes when it ends. */
  static async start(options: ProcessOptions = {}): Promise<JobProcess> {
    return new JobProcess(await mkdtemp(join(tmpdir(), 'millrace-job-')), options);
  }

  get alive(): boolean {
    return this.#alive && this.#child.connected;
  }

  /** The directory that the child runs in. */
  get directory(): string {
    return this.#directory;
  }

  /** Lets the parent exit although the child lives (it ends with its parent). */
  unref(): void {
    this.#child.unref();
    this.#child.channel?.unref();
  }

  ref(): void {
    this.#child.ref();
    this.#child.channel?.ref();
  }

  /**
   * Does one job. Rejects with an error of the taxonomy when it throws, dies, passes its time or memory, or is
   * told to stop; after any of these but a throw, the child is gone.
   */
  async run<Output>(options: RunOptions): Promise<Output> {
    options.signal?.throwIfAborted();
    const stopping: (() => void)[] = [];
    try {
      return await this.#race<Output>(options, stopping);
    } finally {
      for (const stop of stopping) stop();
      this.#onLine = () => {};
      this.#onMessage = () => {};
      this.#onFailure = () => {};
    }
  }

  #race<Output>(options: RunOptions, stopping: (() => void)[]): Promise<Output> {
    const { timeoutMs, signal } = options;
    this.#activity = options.activity ?? 'the job';
    this.#onLine = options.onLog ?? (() => {});
    return new Promise<Output>((resolve, reject) => {
      const giveUp = (error: MillraceError) => {
        reject(error);
        this.#killGroup();
      };
      this.#onFailure = reject;
      this.#onMessage = (message) => this.#take(message, options, resolve, reject);
      void this.#exited.then((exit) =>
        reject(errorOfExit(exit, this.#stderr.tail, this.#memoryMb, this.#activity)),
      );
      if (timeoutMs !== undefined) {
        const timer = setTimeout(() => giveUp(timedOut(this.#activity, timeoutMs)), timeoutMs);
        stopping.push(() => clearTimeout(timer));
      }
      if (signal !== undefined) {
        const onAbort = () => giveUp(abortError(signal));
        signal.addEventListener('abort', onAbort, { once: true });
        stopping.push(() => signal.removeEventListener('abort', onAbort));
      }
      this.#post({
        type: 'run',
        entry: options.entry.href,
        input: options.input,
        ...activeTraceHeaders(),
        ...(options.userRoot === undefined ? {} : { userRoot: options.userRoot }),
      });
    });
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
        this.#activity = message.activity;
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
        if (message.last === true) this.#alive = false;
        reject(errorOfThrown(message.thrown, options.userRoot, this.#activity));
    }
  }

  async #answer(id: number, question: unknown, options: RunOptions): Promise<void> {
    const value = await options.onQuestion?.(question);
    this.#post({ type: 'reply', id, value });
  }

  #post(message: ToChild): void {
    // A child that died meanwhile is told of by its exit.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** Kills the child and everything it started; resolves when it is gone. */
  async kill(): Promise<void> {
    this.ref();
    this.#killGroup();
    await this.#exited;
    await rm(this.#directory, { recursive: true, force: true });
  }

  #killGroup(): void {
    const { pid } = this.#child;
    this.#alive = false;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // ESRCH: the group is gone already.
    }
  }

  async #cleanUp(): Promise<void> {
    this.#stopMemoryWatch();
    // What the child started may outlive it in its group.
    this.#killGroup();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

const missingStream = (): never => {
  throw new Error('the child was started without its output');
};

const timedOut = (activity: string, timeoutMs: number) =>
  new TimedOut(`${activity} did not end within ${timeoutMs / 1000} s`, {
    hint: 'Raise `timeout` of the step in recipe.yaml, or make the function faster.',
  });

const abortError = (signal: AbortSignal): MillraceError =>
  signal.reason instanceof DOMException
    ? new Cancelled('the job was cancelled')
    : asMillraceError(signal.reason);
