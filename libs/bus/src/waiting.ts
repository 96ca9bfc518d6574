import { setTimeout as delay } from 'node:timers/promises';

/** Sleeps `ms`, or until `signal` aborts; never throws. */
export const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    // Aborted: the caller looks at the signal.
  }
};

/** Doubling from `first` ms up to `limit` ms, spread over the upper half so that many do not return at once. */
export const backoffMs = (attempt: number, first: number, limit: number, random = Math.random()): number => {
  const full = Math.min(limit, first * 2 ** Math.min(attempt, 30));
  return Math.round(full / 2 + (full / 2) * random);
};

/** Something that one loop waits for and others announce; announcements before the wait are not lost. */
export class Wake {
  #announced = false;
  #waiter: (() => void) | undefined;

  announce(): void {
    this.#announced = true;
    this.#waiter?.();
  }

  /** Resolves when announced since the last wait, after `ms`, or when `signal` aborts. */
  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (!this.#announced && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        const end = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', end);
          resolve();
        };
        this.#waiter = end;
        signal?.addEventListener('abort', end, { once: true });
      });
      this.#waiter = undefined;
    }
    this.#announced = false;
  }
}
