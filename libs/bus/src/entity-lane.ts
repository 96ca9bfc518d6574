import { messageOf } from '@millrace/errors';
import type { ConsumerPositions } from './consumer-positions.ts';
import { countDuplicates, countSkipped } from './event-counters.ts';
import type { EventDelivery } from './event-delivery.ts';
import { deliveryOfRefill } from './event-delivery.ts';
import type { BusLogger } from './logger.ts';
import type { RefilledEvent } from './refill.ts';
import { backoffMs, sleep, Wake } from './waiting.ts';

/** What a lane needs of its consumer. */
export interface LaneContext {
  readonly consumer: string;
  readonly graceMs: number;
  readonly stopping: AbortSignal;
  readonly logger: BusLogger;
  /** How far the consumer has come. */
  readonly positions: Pick<ConsumerPositions, 'position' | 'positionNow' | 'advance'>;
  /** Handles and settles the event that is next; resolves `false` when stopping cut it short. */
  handle(delivery: EventDelivery): Promise<boolean>;
  /** Takes an event that was handled before off the server's list. */
  acknowledge(delivery: EventDelivery): void;
  /** Throws a retryable error while the owner is away. */
  refill(entity: string, after: number, upTo: number): Promise<readonly RefilledEvent[]>;
}

/**
 * The events of one entity, handled one after another in the order of their sequence. Those that come too
 * early are parked; when a missing one does not come within the grace time, its owner is asked for it.
 */
export class EntityLane {
  readonly #entity: string;
  readonly #context: LaneContext;
  /** By sequence. */
  readonly #waiting = new Map<number, EventDelivery>();
  readonly #arrival = new Wake();

  constructor(entity: string, context: LaneContext) {
    this.#entity = entity;
    this.#context = context;
  }

  add(delivery: EventDelivery): void {
    const { sequence } = delivery.attributes;
    const present = this.#waiting.get(sequence)?.message;
    if (present !== undefined && delivery.message !== undefined) {
      // The same message delivered again is settled with the first; a copy is of no use.
      if (present.seq !== delivery.message.seq) this.#context.acknowledge(delivery);
      return;
    }
    this.#waiting.set(sequence, delivery);
    this.#arrival.announce();
  }

  /** Works until nothing waits, or stopping. */
  async run(): Promise<void> {
    const { stopping, logger } = this.#context;
    for (let failures = 0; this.#waiting.size > 0 && !stopping.aborted; ) {
      try {
        await this.#step();
        failures = 0;
      } catch (thrown) {
        // The inbox or the owner of missing events: nothing can be done in order until it is back.
        const delayMs = backoffMs(failures, 100, 10_000);
        failures += 1;
        logger.warn({ err: thrown, entity: this.#entity, delayMs }, `waiting: ${messageOf(thrown)}`);
        await sleep(delayMs, stopping);
      }
    }
  }

  async #step(): Promise<void> {
    const position = await this.#context.positions.position(this.#entity);
    this.#dropHandled(position);
    const next = this.#waiting.get(position + 1);
    if (next !== undefined) {
      const finished = await this.#context.handle(next);
      if (finished && this.#waiting.get(position + 1) === next) this.#waiting.delete(position + 1);
    } else if (this.#waiting.size > 0) {
      await this.#closeGap(position);
    }
  }

  #dropHandled(position: number): void {
    for (const [sequence, delivery] of this.#waiting) {
      if (sequence > position) continue;
      countDuplicates(this.#context.consumer, 1);
      this.#context.acknowledge(delivery);
      this.#waiting.delete(sequence);
    }
  }

  /** Waits for the missing event to arrive late, then asks its owner. */
  async #closeGap(position: number): Promise<void> {
    const { graceMs, stopping } = this.#context;
    const deadline = performance.now() + graceMs;
    for (let left = graceMs; left > 0; left = deadline - performance.now()) {
      await this.#arrival.wait(left, stopping);
      if (this.#waiting.has(position + 1) || stopping.aborted) return;
    }
    // Another process of the same consumer may have handled it meanwhile.
    const now = await this.#context.positions.positionNow(this.#entity);
    if (now === position) await this.#refill(position);
  }

  async #refill(position: number): Promise<void> {
    const { consumer, positions, logger } = this.#context;
    const earliest = Math.min(...this.#waiting.keys());
    const deliveryCount = Math.max(...[...this.#waiting.values()].map((each) => each.deliveryCount));
    const events = await this.#context.refill(this.#entity, position, earliest - 1);
    const fields = { consumer, entity: this.#entity, after: position, before: earliest, got: events.length };
    logger.info(fields, 'events were missing; asked their owner');
    for (const event of events) {
      if (!this.#waiting.has(event.sequence)) {
        this.#waiting.set(event.sequence, deliveryOfRefill(event, deliveryCount));
      }
    }
    const available = Math.min(...this.#waiting.keys());
    if (available > position + 1) {
      logger.warn({ ...fields, available }, 'the owner no longer has the missing events; going on without');
      countSkipped(consumer, available - 1 - position);
      await positions.advance({ consumer, entity: this.#entity, sequence: available - 1 });
    }
  }
}
