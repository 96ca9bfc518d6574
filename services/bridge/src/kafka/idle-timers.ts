import { createRequire } from 'node:module';

/** What is used here of the class of `kafkajs` that holds the requests of a connection. */
export interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

const patched = new WeakSet<RequestQueue>();

/**
 * Keeps `kafkajs` from looking every millisecond, on every connection, for requests that wait while none does: it sets a
 * timer of negative length for that, which Node warns of. Whoever puts a request into the queue sets the timer anyway.
 */
export const stopIdleTimers = (): void => {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as {
    readonly prototype: RequestQueue;
  };
  if (patched.has(prototype)) return;
  patched.add(prototype);
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
};
