import { setTimeout as delay } from 'node:timers/promises';
import { forgetOldest } from './forget-oldest.ts';
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

/** Entities whose recorded position is remembered. */
const mostRemembered = 1_024;

/**
 * How far a consumer has come with each entity. The recorded positions are the inbox's; where no other process has them, those of
 * the latest entities are remembered.
 *
 * Events that the consumer ignored, or whose types it does not handle, have no effect that could be lost or doubled, so their
 * positions are recorded some time later, together, with what else is written. A crash before that leaves a gap, which is
 * closed as every gap is, by asking the owner.
 */
export class ConsumerPositions {
  readonly #consumer: string;
  readonly #inbox: InboxPort;
  readonly #logger: BusLogger;
  readonly #closing = new AbortController();
  /** Recorded ones, by entity; the latest last. Stays empty where other processes record positions as well. */
  readonly #remembered = new Map<string, number>();
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

  /** Records that the consumer is done with an event; resolves when it is. */
  async advance(position: HandledPosition): Promise<void> {
    await this.#inbox.advance(position);
    if (position.consumer === this.#consumer) this.#remember(position.entity, position.sequence);
  }

  /** How far the consumer has come with the entity, recorded or not. */
  async position(entity: string): Promise<number> {
    return this.#furthest(entity, this.#remembered.get(entity) ?? (await this.#recorded(entity)));
  }

  /** The same by what the inbox says now, whatever is remembered: for who suspects that another process has gone on. */
  async positionNow(entity: string): Promise<number> {
    return this.#furthest(entity, await this.#recorded(entity));
  }

  async #recorded(entity: string): Promise<number> {
    const sequence = await this.#inbox.position(this.#consumer, entity);
    this.#remember(entity, sequence);
    return sequence;
  }

  #furthest(entity: string, recorded: number): number {
    return Math.max(recorded, this.#passed.get(keyOf(this.#consumer, entity))?.sequence ?? 0);
  }

  #remember(entity: string, sequence: number): void {
    if (this.#inbox.isShared) return;
    // What was passed long ago may be recorded after what was handled since.
    const furthest = Math.max(sequence, this.#remembered.get(entity) ?? 0);
    this.#remembered.delete(entity);
    this.#remembered.set(entity, furthest);
    forgetOldest(this.#remembered, mostRemembered);
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
      if (position.consumer === this.#consumer) this.#remember(position.entity, position.sequence);
    }
    return true;
  }
}

const keyOf = (consumer: string, entity: string): string => `${consumer} ${entity}`;
