import { setTimeout as delay } from 'node:timers/promises';
import type { BusLogger } from './logger.ts';
import type { HandledPosition, InboxPort } from './port.ts';

/**
 * How long a position may wait to be recorded with others; shorter than the grace time of a gap, so that another
 * process of the consumer finds it before it asks the owner. Milliseconds.
 */
const delayMs = 80;
const retryMs = 1_000;

/**
 * How far a consumer has come with events whose types it does not handle. They have no effect that could be lost or
 * doubled, so their positions are recorded some time later, together, with what else is written. A crash before that leaves a
 * gap, which is closed as every gap is, by asking the owner.
 */
export class PassedPositions {
  readonly #consumer: string;
  readonly #inbox: InboxPort;
  readonly #logger: BusLogger;
  readonly #closing = new AbortController();
  /** Entity → sequence, not recorded yet. */
  readonly #passed = new Map<string, number>();
  #recording: Promise<void> | undefined;

  constructor(consumer: string, inbox: InboxPort, logger: BusLogger) {
    this.#consumer = consumer;
    this.#inbox = inbox;
    this.#logger = logger;
  }

  /** The event that was next needs no handling. */
  pass(entity: string, sequence: number): void {
    this.#passed.set(entity, sequence);
    this.#recording ??= this.#recordAll();
  }

  /** How far the consumer has come with the entity, recorded or not. */
  async position(entity: string): Promise<number> {
    const recorded = await this.#inbox.position(this.#consumer, entity);
    return Math.max(recorded, this.#passed.get(entity) ?? 0);
  }

  /** Records what waits; what cannot be recorded is told and left to the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#recording;
    if (this.#passed.size > 0) await this.#record();
  }

  async #recordAll(): Promise<void> {
    const { signal } = this.#closing;
    while (this.#passed.size > 0 && !signal.aborted) {
      if (!(await this.#record())) await delay(retryMs, undefined, { signal }).catch(() => {});
    }
    this.#recording = undefined;
  }

  /** Resolves `false` when it could not be done. */
  async #record(): Promise<boolean> {
    let written: readonly HandledPosition[] = [];
    const waiting = () => {
      written = [...this.#passed].map(([entity, sequence]) => ({
        consumer: this.#consumer,
        entity,
        sequence,
      }));
      return written;
    };
    try {
      await this.#inbox.advanceSoon(waiting, this.#closing.signal.aborted ? 0 : delayMs);
    } catch (thrown) {
      this.#logger.warn(
        { err: thrown, consumer: this.#consumer },
        'positions were not recorded; will try again',
      );
      return false;
    }
    for (const { entity, sequence } of written) {
      if (this.#passed.get(entity) === sequence) this.#passed.delete(entity);
    }
    return true;
  }
}
