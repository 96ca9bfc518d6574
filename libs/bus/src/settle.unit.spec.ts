import { Conflict, Exhausted, Invalid, TimedOut, Unavailable } from '@millrace/errors';
import { describe, expect, it } from 'vitest';
import { settle } from './settle.ts';

const counts = { failures: 0, waits: 0, maxAttempts: 3 };

describe('settling a message', () => {
  it('acknowledges what is done and what needs nothing', () => {
    expect(settle({ outcome: { kind: 'done' } }, counts)).toEqual({ kind: 'ack' });
    expect(settle({ outcome: { kind: 'ignored', reason: 'old' } }, counts)).toEqual({
      kind: 'ack',
      ignored: 'old',
    });
  });

  it('buries what is rejected, and what throws that its input is wrong', () => {
    expect(settle({ outcome: { kind: 'reject', reason: 'no' } }, counts)).toEqual({
      kind: 'dead',
      reason: 'no',
    });
    expect(settle({ thrown: new Invalid('bad') }, counts)).toEqual({ kind: 'dead', reason: 'invalid: bad' });
  });

  it.each([new Unavailable('x'), new TimedOut('x'), new Exhausted('x')])(
    'waits uncounted when %s is thrown, longer each time up to a limit',
    (thrown) => {
      const delays = [0, 1, 2, 20].map((waits) => {
        const settlement = settle({ thrown }, { ...counts, failures: 2, waits }, 1);
        return settlement.kind === 'wait' ? settlement.delayMs : undefined;
      });
      expect(delays).toEqual([250, 500, 1_000, 15_000]);
    },
  );

  it.each([new Conflict('x'), new Error('x'), 'x'])(
    'retries when %s is thrown, until the attempts are used up',
    (thrown) => {
      const kinds = [0, 1, 2].map((failures) => settle({ thrown }, { ...counts, failures }).kind);
      expect(kinds).toEqual(['retry', 'retry', 'dead']);
    },
  );

  it('retries when the handler says', () => {
    const outcome = { kind: 'retry', reason: 'later', delayMs: 7 } as const;
    expect(settle({ outcome }, counts)).toEqual({ kind: 'retry', reason: 'later', delayMs: 7 });
    expect(settle({ outcome: { ...outcome, unavailable: true } }, { ...counts, failures: 9 })).toMatchObject({
      kind: 'wait',
    });
  });
});
