import type { JsMsg } from '@nats-io/jetstream';

/** Tells the server, for every message held, that work goes on, so that it is not delivered to another. */
export class InProgress {
  readonly #held = new Set<JsMsg>();
  readonly #timer: NodeJS.Timeout;

  /** Extends each message's time every third of `ackWaitMs`: two of three signals may be lost. */
  constructor(ackWaitMs: number) {
    this.#timer = setInterval(() => this.#extend(), Math.max(1, Math.floor(ackWaitMs / 3)));
    this.#timer.unref();
  }

  get size(): number {
    return this.#held.size;
  }

  hold(message: JsMsg): void {
    this.#held.add(message);
  }

  release(message: JsMsg): void {
    this.#held.delete(message);
  }

  /** Stops, and returns what is still held. */
  close(): readonly JsMsg[] {
    clearInterval(this.#timer);
    const held = [...this.#held];
    this.#held.clear();
    return held;
  }

  #extend(): void {
    for (const message of this.#held) message.working();
  }
}
