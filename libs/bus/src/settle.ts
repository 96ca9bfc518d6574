import { asMillraceError, ErrorCode, isRetryable } from '@millrace/errors';
import type { Outcome } from './port.ts';
import { backoffMs } from './waiting.ts';

/** How an attempt at a message ended: the handler's word, or what it threw. */
export type Attempt = { readonly outcome: Outcome } | { readonly thrown: unknown };

/** What becomes of the message. Each consumer carries it out; nobody else decides it. */
export type Settlement =
  /** Handled: take it off the stream's list. */
  | { readonly kind: 'ack'; readonly ignored?: string }
  /** A dependency is down: keep the message in progress and try again; does not count. */
  | { readonly kind: 'wait'; readonly delayMs: number; readonly reason: string }
  /** Failed: try again after the delay; counts. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly reason: string }
  /** It can never succeed, or failed too often. */
  | { readonly kind: 'dead'; readonly reason: string };

export interface AttemptCounts {
  /** Counted failures before this attempt. */
  readonly failures: number;
  /** Waits for a dependency before this attempt. */
  readonly waits: number;
  readonly maxAttempts: number;
}

const firstRetryMs = 200;
const longestRetryMs = 30_000;
const firstWaitMs = 250;
const longestWaitMs = 15_000;

/** The rule of DESIGN section 5: outcome or thrown error, and what went before, to what is done. Pure but for jitter. */
export const settle = (attempt: Attempt, counts: AttemptCounts, random = Math.random()): Settlement => {
  const outcome = 'outcome' in attempt ? attempt.outcome : outcomeOfThrown(attempt.thrown);
  switch (outcome.kind) {
    case 'done':
      return { kind: 'ack' };
    case 'ignored':
      return { kind: 'ack', ignored: outcome.reason };
    case 'reject':
      return { kind: 'dead', reason: outcome.reason };
    case 'retry':
      return outcome.unavailable === true
        ? {
            kind: 'wait',
            reason: outcome.reason,
            delayMs: outcome.delayMs ?? backoffMs(counts.waits, firstWaitMs, longestWaitMs, random),
          }
        : retryOrDead(outcome.reason, outcome.delayMs, counts, random);
  }
};

const retryOrDead = (
  reason: string,
  delayMs: number | undefined,
  { failures, maxAttempts }: AttemptCounts,
  random: number,
): Settlement =>
  failures + 1 >= maxAttempts
    ? { kind: 'dead', reason }
    : {
        kind: 'retry',
        reason,
        delayMs: delayMs ?? backoffMs(failures, firstRetryMs, longestRetryMs, random),
      };

const outcomeOfThrown = (thrown: unknown): Outcome => {
  const error = asMillraceError(thrown);
  const reason = `${error.code}: ${error.message}`;
  if (error.code === ErrorCode.invalid) return { kind: 'reject', reason };
  return { kind: 'retry', reason, unavailable: isRetryable(error.code) };
};
