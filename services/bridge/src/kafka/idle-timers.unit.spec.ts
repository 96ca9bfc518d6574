import { createRequire } from 'node:module';
import { expect, test, vi } from 'vitest';
import { type RequestQueue, stopIdleTimers } from './idle-timers.ts';

const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as {
  readonly prototype: RequestQueue;
};
const queueOf = (...pending: unknown[]) =>
  Object.assign(Object.create(prototype) as RequestQueue, {
    pending,
    throttledUntil: -1,
    throttleCheckTimeoutId: null as NodeJS.Timeout | null,
  });

test('a queue in which nothing waits sets no timer; one in which a request waits does', () => {
  stopIdleTimers();
  stopIdleTimers();
  const timers = vi.spyOn(globalThis, 'setTimeout');
  try {
    queueOf().scheduleCheckPendingRequests();
    expect(timers).not.toHaveBeenCalled();
    const busy = queueOf('a request');
    busy.scheduleCheckPendingRequests();
    expect(timers).toHaveBeenCalledOnce();
    clearTimeout(busy.throttleCheckTimeoutId ?? undefined);
  } finally {
    timers.mockRestore();
  }
});
