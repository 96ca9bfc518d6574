import type { InboxPort } from './port.ts';

/** From this delivery on, a message is suspected to end the process that handles it. */
const suspectFrom = 3;
/** Starts that never ended, before the message counts as one that ends processes. */
const crashLimit = 3;

/**
 * Tells messages that end their process from those that merely were in flight beside them. The server counts a
 * delivery for all of them; here each start of a suspect is written down before it and its release after it,
 * and suspects run one at a time.
 */
export class CrashCounter {
  readonly #inbox: InboxPort;
  readonly #consumer: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(inbox: InboxPort, consumer: string) {
    this.#inbox = inbox;
    this.#consumer = consumer;
  }

  /**
   * Runs `work`, in turn and written down if the message is suspect. Instead of it, resolves `crashed` with how
   * often its process ended when that was too often. `released` must tell whether stopping cut `work` short.
   */
  async run<T>(
    message: { readonly key: string; readonly deliveryCount: number },
    work: () => Promise<T>,
    released: (result: T) => boolean,
  ): Promise<{ readonly result: T } | { readonly crashed: number }> {
    if (message.deliveryCount < suspectFrom) return { result: await work() };
    const turn = this.#last.then(() => this.#runSuspect(message.key, work, released));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #runSuspect<T>(
    key: string,
    work: () => Promise<T>,
    released: (result: T) => boolean,
  ): Promise<{ readonly result: T } | { readonly crashed: number }> {
    const starts = await this.#count('starts', key);
    const releases = await this.#count('releases', key);
    if (starts - releases >= crashLimit) return { crashed: starts - releases };
    await this.#increment('starts', key, starts);
    const result = await work();
    if (released(result)) await this.#increment('releases', key, releases);
    return { result };
  }

  #count(what: 'starts' | 'releases', key: string): Promise<number> {
    return this.#inbox.position(`${this.#consumer}!${what}`, key);
  }

  #increment(what: 'starts' | 'releases', key: string, before: number): Promise<void> {
    return this.#inbox.advance({ consumer: `${this.#consumer}!${what}`, entity: key, sequence: before + 1 });
  }
}
