import type { BusLogger } from './logger.ts';
import type { InboxPort } from './port.ts';

/**
 * How long a position may wait to be recorded with others; shorter than the grace time of a gap, so that another
 * process of the consumer finds it before it asks the owner. Milliseconds.
 */
const delayMs = 50;
const retryMs = 1_000;

/**
 * How far a consumer has come with events whose types it does not handle. They have no effect that could be lost or
 * doubled, so their positions are recorded some time later, together, instead of one durable write for each. A crash
 * before that leaves a gap, which is closed as every gap is, by asking the owner.
 */
export class PassedPositions {
  readonly #consumer: string;
  readonly #inbox: InboxPort;
  readonly #logger: BusLogger;
  /** Entity → sequence, not recorded yet. */
  readonly #passed = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #recording: Promise<void> = Promise.resolve();

  constructor(consumer: string, inbox: InboxPort, logger: BusLogger) {
    this.#consumer = consumer;
    this.#inbox = inbox;
    this.#logger = logger;
  }

  /** The event that was next needs no handling. */
  pass(entity: string, sequence: number): void {
    this.#passed.set(entity, sequence);
    this.#recordIn(delayMs);
  }

  /** How far the consumer has come with the entity, recorded or not. */
  async position(entity: string): Promise<number> {
    const recorded = await this.#inbox.position(this.#consumer, entity);
    return Math.max(recorded, this.#passed.get(entity) ?? 0);
  }

  /** Records what waits; what cannot be recorded is told and left to the next start. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#recording;
    await this.#record();
    clearTimeout(this.#timer);
  }

  #recordIn(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#recording = this.#record();
    }, ms);
  }

  async #record(): Promise<void> {
    try {
      await Promise.all(
        [...this.#passed].map(async ([entity, sequence]) => {
          await this.#inbox.advance({ consumer: this.#consumer, entity, sequence });
          if (this.#passed.get(entity) === sequence) this.#passed.delete(entity);
        }),
      );
    } catch (thrown) {
      this.#logger.warn(
        { err: thrown, consumer: this.#consumer },
        'positions were not recorded; will try again',
      );
      this.#recordIn(retryMs);
    }
  }
}
