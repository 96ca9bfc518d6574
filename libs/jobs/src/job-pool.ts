import { Cancelled, Unavailable } from '@millrace/errors';
import { JobProcess, type ProcessOptions, type RunOptions } from './job-process.ts';

export interface JobPoolOptions extends ProcessOptions {
  /** Most children at once. */
  readonly size: number;
  /** An idle child ends after this long, to give its memory back. Default 60,000. */
  readonly idleMs?: number;
}

const defaultIdleMs = 60_000;

/** Children that are kept between jobs, so that a job costs no start of Node. Only for code of our own. */
export interface JobPool {
  /** Like `runJob`; waits for a free child when `size` jobs run. */
  run<Output>(options: RunOptions): Promise<Output>;
  /** Kills all children; jobs under way and waiting reject. */
  close(): Promise<void>;
}

/** A pool without children yet; they are started as jobs come. */
export const createJobPool = (options: JobPoolOptions): JobPool => new WarmPool(options);

interface Idle {
  readonly child: JobProcess;
  readonly timer: NodeJS.Timeout;
}

class WarmPool implements JobPool {
  readonly #options: JobPoolOptions;
  readonly #idle: Idle[] = [];
  readonly #busy = new Set<JobProcess>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #closed = false;

  constructor(options: JobPoolOptions) {
    this.#options = options;
  }

  async run<Output>(options: RunOptions): Promise<Output> {
    await this.#slot(options.signal);
    try {
      return await this.#runIn<Output>(await this.#take(), options);
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const wake of this.#waiting.splice(0)) wake();
    const idle = this.#idle.splice(0);
    for (const { timer } of idle) clearTimeout(timer);
    await Promise.all([...idle.map(({ child }) => child), ...this.#busy].map((child) => child.kill()));
  }

  async #runIn<Output>(child: JobProcess, options: RunOptions): Promise<Output> {
    this.#busy.add(child);
    try {
      return await child.run<Output>(options);
    } finally {
      this.#busy.delete(child);
      await this.#giveBack(child);
    }
  }

  async #slot(signal: AbortSignal | undefined): Promise<void> {
    while (this.#running >= this.#options.size) {
      this.#refuseWhenClosed();
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
      if (signal?.aborted) throw signal.reason ?? new Cancelled('the job was cancelled');
    }
    this.#refuseWhenClosed();
    this.#running += 1;
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw new Unavailable('the job pool is closed');
  }

  async #take(): Promise<JobProcess> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      clearTimeout(idle.timer);
      if (idle.child.alive) {
        idle.child.ref();
        return idle.child;
      }
    }
    return JobProcess.start(this.#options);
  }

  async #giveBack(child: JobProcess): Promise<void> {
    if (this.#closed || !child.alive) {
      await child.kill();
      return;
    }
    child.unref();
    const timer = setTimeout(() => this.#retire(child), this.#options.idleMs ?? defaultIdleMs);
    timer.unref();
    this.#idle.push({ child, timer });
  }

  #retire(child: JobProcess): void {
    const index = this.#idle.findIndex((idle) => idle.child === child);
    if (index < 0) return;
    this.#idle.splice(index, 1);
    void child.kill();
  }
}
