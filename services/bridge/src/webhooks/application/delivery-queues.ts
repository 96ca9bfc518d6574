import { DeliveryQueue } from './delivery-queue.ts';
import type { Dependencies } from './ports.ts';

/** A queue for each webhook there is. */
export class DeliveryQueues {
  readonly #deps: Dependencies;
  readonly #queues = new Map<string, DeliveryQueue>();
  #open = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#open = true;
    await this.sync();
  }

  async stop(): Promise<void> {
    this.#open = false;
    const stopping = [...this.#queues.values()].map((queue) => queue.stop());
    this.#queues.clear();
    await Promise.all(stopping);
  }

  /** Follows what other processes made and deleted, and counts anew what waits. */
  async sync(): Promise<void> {
    if (!this.#open) return;
    const present = new Set<string>();
    for await (const { key } of this.#deps.collections.webhooks.scan()) {
      present.add(key);
      this.#queue(key).recount();
    }
    for (const id of [...this.#queues.keys()]) if (!present.has(id)) await this.remove(id);
  }

  /** A delivery was queued. */
  added(webhookId: string): void {
    this.#queue(webhookId).added();
  }

  /** The webhook was made or switched on. */
  wake(webhookId: string): void {
    this.#queue(webhookId).wake();
  }

  waiting(webhookId: string): Promise<number> {
    return this.#queue(webhookId).waiting();
  }

  async remove(webhookId: string): Promise<void> {
    const queue = this.#queues.get(webhookId);
    this.#queues.delete(webhookId);
    await queue?.stop();
  }

  #queue(webhookId: string): DeliveryQueue {
    const present = this.#queues.get(webhookId);
    if (present !== undefined) return present;
    const queue = new DeliveryQueue(this.#deps, webhookId);
    // Before the start and after the stop deliveries are only stored.
    if (this.#open) {
      this.#queues.set(webhookId, queue);
      queue.start();
    }
    return queue;
  }
}
