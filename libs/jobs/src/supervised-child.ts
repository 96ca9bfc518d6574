import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { asMillraceError, Cancelled, type Exhausted, type MillraceError, TimedOut } from '@millrace/errors';
import { errorOfExit, outOfMemory } from './failure.ts';
import { watchMemory } from './memory-watch.ts';
import { type OutputLine, OutputReader } from './output.ts';
import { watchdog } from './watchdog.ts';

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Directory made for this child alone; it goes when the child ends. */
  readonly directory: string;
  /** Working directory; default `directory`. */
  readonly cwd?: string;
  /** The whole environment: see `childEnvironment`. */
  readonly env: Readonly<Record<string, string>>;
  /** What follows the two pipes of output: `['ipc']`, or further pipes. */
  readonly channels: readonly ('ipc' | 'pipe')[];
  /** Limit of the resident memory of the child and its descendants, MiB; none when absent. */
  readonly memoryMb?: number;
  /**
   * Where the child is in the user's code, `steps/train.py:12`: asked before it is killed for its time or memory, and when
   * it has crashed.
   */
  readonly whereabouts?: (child: ChildProcess) => Promise<string | undefined>;
}

export interface ExchangeOptions {
  /** Ends the child when it passes; no limit when absent. */
  readonly timeoutMs?: number;
  /** Ends the child and rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** What the child does, for messages about one that just died. */
  readonly activity?: string;
  readonly onLog?: (line: OutputLine) => void;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Where in the user's code it was when it crashed, when it left word of that. */
  readonly where?: string;
}

/** After its end, what a child started outside its group may hold its pipes open this long. */
const drainMs = 1_000;

/**
 * A child process with a process group and a directory of its own, whose output is read in bounded memory and whose
 * memory is limited. Whatever ends it, everything in its group and its directory go with it.
 */
export class SupervisedChild {
  readonly process: ChildProcess;
  readonly directory: string;
  /** Resolves when it has ended and its output is read. */
  readonly exited: Promise<Exit>;
  /** What it does now. */
  activity = 'the job';
  readonly #options: ChildOptions;
  readonly #stderr: OutputReader | undefined;
  #stopMemoryWatch: () => void;
  readonly #standDown: () => void;
  #alive = true;
  #onLine: (line: OutputLine) => void = () => {};
  #onFailure: (error: MillraceError) => void = () => {};
  #exit: Exit | undefined;
  #onExit: (exit: Exit) => void = () => {};
  /** Set when the child was ended on purpose: what it is killed for is the error, not that it was killed. */
  #giveUp: Promise<void> | undefined;

  constructor(options: ChildOptions, more: Pick<SpawnOptions, 'serialization'> = {}) {
    this.#options = options;
    this.directory = options.directory;
    this.process = spawn(options.command, [...options.args], {
      cwd: options.cwd ?? options.directory,
      env: { ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', ...options.channels],
      // Its own process group, so that what it starts can be killed with it.
      detached: true,
      ...more,
    });
    const { pid } = this.process;
    this.#standDown = pid === undefined ? () => {} : watchdog.watch(pid, options.directory);
    const onLine = (line: OutputLine) => this.#onLine(line);
    // Both are absent when the process could not be started.
    if (this.process.stdout) new OutputReader(this.process.stdout, 'stdout', onLine);
    this.#stderr = this.process.stderr ? new OutputReader(this.process.stderr, 'stderr', onLine) : undefined;
    this.process.on('error', (error) => this.#onFailure(asMillraceError(error)));
    this.exited = this.#untilClosed();
    this.#stopMemoryWatch = this.#limitMemory();
    void this.exited.then((exit) => {
      this.#exit = exit;
      this.#onExit(exit);
      return this.#cleanUp();
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** The last kilobytes of its error output. */
  get lastWords(): string {
    return this.#stderr?.tail ?? '';
  }

  /** It is not to be given anything more. */
  retire(): void {
    this.#alive = false;
  }

  /**
   * One exchange with the child: `begin` says what to do, and resolves or rejects as the child answers. Rejects with
   * an error of the taxonomy when the child ends, passes its time or memory, or is told to stop.
   */
  async exchange<Output>(
    options: ExchangeOptions,
    begin: (resolve: (output: Output) => void, reject: (error: MillraceError) => void) => void,
  ): Promise<Output> {
    if (options.signal?.aborted) throw abortError(options.signal);
    const stopping: (() => void)[] = [];
    this.activity = options.activity ?? 'the job';
    this.#onLine = options.onLog ?? (() => {});
    try {
      return await this.#race(options, stopping, begin);
    } finally {
      for (const stop of stopping) stop();
      this.#onFailure = () => {};
      this.#onExit = () => {};
      await this.#giveUp;
    }
  }

  #race<Output>(
    { timeoutMs, signal }: ExchangeOptions,
    stopping: (() => void)[],
    begin: (resolve: (output: Output) => void, reject: (error: MillraceError) => void) => void,
  ): Promise<Output> {
    return new Promise<Output>((resolve, reject) => {
      this.#onFailure = reject;
      this.#onExit = async (exit) => {
        await this.#giveUp;
        reject(errorOfExit(exit, this.lastWords, this.#options.memoryMb, this.activity));
      };
      if (this.#exit !== undefined) this.#onExit(this.#exit);
      if (timeoutMs !== undefined) {
        const timer = setTimeout(
          () => void this.#endFor((where) => timedOut(this.activity, timeoutMs, where)),
          timeoutMs,
        );
        stopping.push(() => clearTimeout(timer));
      }
      if (signal !== undefined) {
        const onAbort = () => {
          reject(abortError(signal));
          this.killGroup();
        };
        signal.addEventListener('abort', onAbort, { once: true });
        stopping.push(() => signal.removeEventListener('abort', onAbort));
      }
      begin(resolve, reject);
    });
  }

  /** Lines of output are no longer handed on. */
  mute(): void {
    this.#onLine = () => {};
  }

  /** For a child without work: the parent may exit meanwhile, and its memory is not watched. */
  unref(): void {
    this.process.unref();
    this.process.channel?.unref();
    this.#stopMemoryWatch();
  }

  /** For a child that gets work: the parent stays for it, and its memory is watched. */
  ref(): void {
    this.process.ref();
    this.process.channel?.ref();
    this.#stopMemoryWatch();
    this.#stopMemoryWatch = this.#alive ? this.#limitMemory() : () => {};
  }

  /** Kills the child and everything in its group; resolves when it is gone and its directory too. */
  async kill(): Promise<void> {
    this.ref();
    this.killGroup();
    await this.exited;
    await rm(this.directory, { recursive: true, force: true });
  }

  killGroup(): void {
    const { pid } = this.process;
    this.#alive = false;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // ESRCH: the group is gone already.
    }
  }

  #untilClosed(): Promise<Exit> {
    return new Promise((resolve) => {
      this.process.once('error', () => {
        this.#alive = false;
        resolve({ code: null, signal: null });
      });
      this.process.once('close', async (code, signal) => {
        this.#alive = false;
        const where = signal === null ? undefined : await this.#whereabouts();
        resolve({ code, signal, ...(where === undefined ? {} : { where }) });
      });
      this.process.once('exit', () => {
        // What it started may outlive it in its group and hold its pipes, without which it never closes.
        this.killGroup();
        const timer = setTimeout(() => {
          for (const stream of this.process.stdio) stream?.destroy();
        }, drainMs);
        timer.unref();
      });
    });
  }

  #limitMemory(): () => void {
    const { memoryMb } = this.#options;
    const { pid } = this.process;
    if (memoryMb === undefined || pid === undefined) return () => {};
    return watchMemory(
      pid,
      memoryMb,
      () => void this.#endFor((where) => outOfMemory(memoryMb, this.activity, where)),
    );
  }

  /** Ends the child for what it did, saying where in the user's code it was when that can be told. */
  async #endFor(error: (where: string | undefined) => TimedOut | Exhausted): Promise<void> {
    this.#giveUp ??= (async () => {
      const onFailure = this.#onFailure;
      onFailure(error(await this.#whereabouts()));
      this.killGroup();
    })();
    await this.#giveUp;
  }

  async #whereabouts(): Promise<string | undefined> {
    return this.#options.whereabouts?.(this.process).catch(() => undefined);
  }

  async #cleanUp(): Promise<void> {
    this.#stopMemoryWatch();
    this.killGroup();
    await rm(this.directory, { recursive: true, force: true });
    this.#standDown();
  }
}

const timedOut = (activity: string, timeoutMs: number, where: string | undefined) =>
  new TimedOut(
    `${where === undefined ? '' : `${where}: `}${activity} did not end within ${timeoutMs / 1000} s`,
    {
      hint: 'Raise `timeout` of the step in recipe.yaml, or make the function faster.',
      ...(where === undefined ? {} : { details: { where } }),
    },
  );

/** The reason of a signal as an error of the taxonomy. */
export const abortError = (signal: AbortSignal): MillraceError =>
  signal.reason instanceof DOMException
    ? new Cancelled('the job was cancelled')
    : asMillraceError(signal.reason);
