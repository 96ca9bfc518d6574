import { TimedOut, Unavailable } from '@millrace/errors';

const defaultCallTimeoutMs = 30_000;
/** Calls that may wait for the one under way. */
const mostWaiting = 64;
/** Pause before the second start in a row that nobody got an answer from; it doubles with each. Milliseconds. */
const firstPauseMs = 250;
const longestPauseMs = 30_000;

/** What a model's own code may use. */
export interface UserCodeLimits {
  /** Milliseconds that one call may take. Default 30,000. */
  readonly callTimeoutMs?: number;
  /** Limit of the JavaScript heap, MiB; the process may hold twice as much. Default 1024. Python: of the process. */
  readonly memoryMb?: number;
}

/** A child process that answers one call at a time. */
export interface ModelChild<Call, Answer> {
  readonly alive: boolean;
  /** Lets the parent exit although the child lives. */
  unref(): void;
  ref(): void;
  call(call: Call, timeoutMs: number): Promise<Answer>;
  kill(): Promise<void>;
}

/**
 * The code of a model in a child process of its own, started at the first call and again after it died; one that
 * dies again and again without an answer is started after longer and longer pauses. Calls are answered one after the
 * other; when one did not end in time, those that wait are refused, so that nobody stands in line behind a model
 * that hangs.
 */
export class ModelProcess<Call, Answer> {
  readonly #start: () => Promise<ModelChild<Call, Answer>>;
  readonly #callTimeoutMs: number;
  #child: ModelChild<Call, Answer> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** Calls that did not end in time. */
  #hangs = 0;
  #closed = false;
  /** Starts since the last answer. */
  #fruitlessStarts = 0;
  /** Of `performance.now()`. */
  #notBefore = 0;

  constructor(start: () => Promise<ModelChild<Call, Answer>>, { callTimeoutMs }: UserCodeLimits) {
    this.#start = start;
    this.#callTimeoutMs = callTimeoutMs ?? defaultCallTimeoutMs;
  }

  /**
   * A call that fails does not hold up the next.
   *
   * @throws Unavailable when too many wait, when one before it hung, or while a process that keeps dying pauses
   */
  call(call: Call): Promise<Answer> {
    return this.#inTurn(() => this.#run(call));
  }

  /** Starts the process ahead of the first call, so that what is wrong with the model shows now. */
  warmUp(): Promise<void> {
    return this.#inTurn(async () => {
      (await this.#ready()).unref();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#child?.kill();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= mostWaiting) {
      return Promise.reject(new Unavailable(`${this.#waiting} calls of the model wait already`));
    }
    const hangs = this.#hangs;
    this.#waiting += 1;
    const run = this.#last.then(() => {
      this.#waiting -= 1;
      if (hangs !== this.#hangs) throw new Unavailable('the model did not end an earlier call in time');
      return work();
    });
    this.#last = run.catch(() => {});
    return run;
  }

  async #run(call: Call): Promise<Answer> {
    const child = await this.#ready();
    child.ref();
    try {
      const answer = await child.call(call, this.#callTimeoutMs);
      this.#fruitlessStarts = 0;
      return answer;
    } catch (thrown) {
      if (thrown instanceof TimedOut) this.#hangs += 1;
      // One that lives through its own error has answered.
      if (child.alive) this.#fruitlessStarts = 0;
      throw thrown;
    } finally {
      child.unref();
    }
  }

  async #ready(): Promise<ModelChild<Call, Answer>> {
    if (this.#closed) throw new Unavailable('the model is closed');
    if (this.#child?.alive === true) return this.#child;
    const left = this.#notBefore - performance.now();
    if (left > 0) {
      throw new Unavailable('the process of the model keeps dying', {
        hint: `It is started again in ${Math.ceil(left / 1000)} s at the earliest.`,
      });
    }
    this.#pauseAfterNextDeath();
    const child = await this.#start();
    this.#child = child;
    // Closed while it started.
    if (this.#closed) await child.kill();
    return child;
  }

  #pauseAfterNextDeath(): void {
    const pause =
      this.#fruitlessStarts === 0
        ? 0
        : Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#fruitlessStarts - 1));
    this.#fruitlessStarts += 1;
    this.#notBefore = performance.now() + pause;
  }
}
