import { messageOf } from '@millrace/errors';
import type { Failure } from './dead-letter-record.ts';
import type { BusLogger } from './logger.ts';
import { type Attempt, type Settlement, settle } from './settle.ts';
import { sleep } from './waiting.ts';

export interface HandlingOptions {
  readonly attempt: () => Promise<Attempt>;
  readonly maxAttempts: number;
  /** Failures known from earlier. */
  readonly history: Failure[];
  /** Whether a counted retry waits here too (an entity's order depends on it) or is handed back. */
  readonly retryInPlace: boolean;
  /** Aborted when nothing new is to be begun. */
  readonly stopping: AbortSignal;
  readonly logger: BusLogger;
  readonly logFields: object;
}

export type Handled = Settlement | { readonly kind: 'released' };

/**
 * Attempts a message until `settle` has a final word on it. Waits for a dependency in place, uncounted. Ends
 * as `released` when stopping cuts it short: the message is to be delivered again, to whoever then runs.
 */
export const handleUntilSettled = async (options: HandlingOptions): Promise<Handled> => {
  const { attempt, maxAttempts, history, retryInPlace, stopping, logger, logFields } = options;
  for (let waits = 0; ; ) {
    if (stopping.aborted) return { kind: 'released' };
    const result = await attempt();
    const settlement = settle(result, { failures: history.length, waits, maxAttempts });
    if (settlement.kind === 'ack') return settlement;
    // A handler cut short by the stop has not failed.
    if (stopping.aborted && settlement.kind !== 'dead') return { kind: 'released' };
    const fields = { ...logFields, reason: settlement.reason, ...errorOf(result) };
    if (settlement.kind === 'wait') {
      waits += 1;
      logger.warn({ ...fields, delayMs: settlement.delayMs }, 'a dependency is down; the message waits');
    } else {
      history.push({ time: new Date().toISOString(), reason: settlement.reason });
      if (settlement.kind === 'dead') {
        logger.error(fields, 'the message cannot be handled; it goes to the dead letters');
        return settlement;
      }
      logger.warn({ ...fields, delayMs: settlement.delayMs }, 'handling failed; will try again');
      if (!retryInPlace) return settlement;
    }
    await sleep(settlement.delayMs, stopping);
  }
};

const errorOf = (attempt: Attempt): object =>
  'thrown' in attempt ? { err: attempt.thrown, error: messageOf(attempt.thrown) } : {};
