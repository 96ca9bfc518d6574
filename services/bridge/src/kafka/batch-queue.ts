import type { Outcome, RawEvent } from '@millrace/bus';
import { type KafkaRecord, sizeOf } from './kafka-record.ts';

/** An event that waits for its place in a batch, and for what becomes of it. */
export interface Waiting {
  readonly event: RawEvent;
  readonly record: KafkaRecord;
  settle(outcome: Outcome): void;
}

export interface BatchLimits {
  readonly events: number;
  readonly bytes: number;
}

/**
 * Events on their way to the next batch. It is as long as the consumer has events in flight; no entity is in it twice,
 * because an entity's next event comes only when the one before is settled.
 */
export class BatchQueue {
  readonly #limits: BatchLimits;
  #waiting: Waiting[] = [];
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** Resolves with what became of the event; `retry` once the queue is closed. */
  add(event: RawEvent, record: KafkaRecord): Promise<Outcome> {
    if (this.#closed) return Promise.resolve(handedBack);
    return new Promise((settle) => {
      this.#waiting.push({ event, record, settle });
      this.#wake?.();
    });
  }

  /** As many as wait and fit, at least one; none once the queue is closed. */
  async take(): Promise<readonly Waiting[]> {
    while (this.#waiting.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    let count = 0;
    for (let bytes = 0; count < this.#waiting.length && count < this.#limits.events; count += 1) {
      bytes += sizeOf((this.#waiting[count] as Waiting).record);
      if (bytes > this.#limits.bytes && count > 0) break;
    }
    return this.#waiting.splice(0, count);
  }

  /** Hands back what was not taken. */
  close(): void {
    this.#closed = true;
    for (const { settle } of this.#waiting.splice(0)) settle(handedBack);
    this.#wake?.();
  }
}

/** The event is left to who forwards next. */
export const handedBack: Outcome = {
  kind: 'retry',
  reason: 'this bridge stops forwarding',
  unavailable: true,
};
