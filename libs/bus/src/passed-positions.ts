import { setTimeout as delay } from 'node:timers/promises';
import type { BusLogger } from './logger.ts';
import type { HandledPosition, InboxPort } from './port.ts';

/** How long a position may wait to be recorded with others, milliseconds. */
const delayMs = {
  /** Shorter than the grace time of a gap, so that another process of the consumer finds it before it asks the owner. */
  shared: 80,
  /** Nobody else looks for it: bounds what is asked for again after a crash. */
  own: 1_000,
} as const;
const retryMs = 1_000;

/**
 * How far a consumer has come with events that it ignored, or whose types it does not handle. They have no effect that could
 * be lost or doubled, so their positions are recorded some time later, together, with what else is written. A crash before
 * that leaves a gap, which is closed as every gap is, by asking the owner.
 */
export class PassedPositions {
  readonly #consumer: string;
  readonly #inbox: InboxPort;
  readonly #logger: BusLogger;
  readonly #closing = new AbortController();
  /** Those not recorded yet, by consumer and entity. */
  readonly #passed = new Map<string, HandledPosition>();
  #recording: Promise<void> | undefined;

  constructor(consumer: string, inbox: InboxPort, logger: BusLogger) {
    this.#consumer = consumer;
    this.#inbox = inbox;
    this.#logger = logger;
  }

  /** The event that was next needs no handling, or no effect. */
  pass(position: HandledPosition): void {
    this.#passed.set(keyOf(position.consumer, position.entity), position);
    this.#recording ??= this.#recordAll();
  }

  /** How far the consumer has come with the entity, recorded or not. */
  async position(entity: string): Promise<number> {
    const recorded = await this.#inbox.position(this.#consumer, entity);
    return Math.max(recorded, this.#passed.get(keyOf(this.#consumer, entity))?.sequence ?? 0);
  }

  /** Records what waits; what cannot be recorded is told and left to the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    // What waits for company is written now.
    if (this.#passed.size > 0) await this.#record();
    await this.#recording;
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
      written = [...this.#passed.values()];
      return written;
    };
    const withinMs = this.#inbox.isShared ? delayMs.shared : delayMs.own;
    try {
      await this.#inbox.advanceSoon(waiting, this.#closing.signal.aborted ? 0 : withinMs);
    } catch (thrown) {
      this.#logger.warn(
        { err: thrown, consumer: this.#consumer },
        'positions were not recorded; will try again',
      );
      return false;
    }
    for (const position of written) {
      const key = keyOf(position.consumer, position.entity);
      if (this.#passed.get(key) === position) this.#passed.delete(key);
    }
    return true;
  }
}

const keyOf = (consumer: string, entity: string): string => `${consumer} ${entity}`;
