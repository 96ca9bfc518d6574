import { describe, expect, it } from 'vitest';
import { backoffMs, Wake } from './waiting.ts';

describe('backoff', () => {
  it('doubles up to its limit, spread over the upper half', () => {
    expect([0, 1, 2, 10, 1_000].map((attempt) => backoffMs(attempt, 100, 1_000, 1))).toEqual([
      100, 200, 400, 1_000, 1_000,
    ]);
    expect(backoffMs(1, 100, 1_000, 0)).toBe(100);
  });
});

describe('a wake', () => {
  it('is not lost when it comes before the wait', async () => {
    const wake = new Wake();
    wake.announce();
    await wake.wait(1e6);
  });

  it('ends a wait under way, as the signal does', async () => {
    const wake = new Wake();
    const waits = wake.wait(1e6);
    wake.announce();
    await waits;
    const end = new AbortController();
    const aborted = wake.wait(1e6, end.signal);
    end.abort();
    await aborted;
  });
});
