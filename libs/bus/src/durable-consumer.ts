import type { Consumer } from '@nats-io/jetstream';
import type { BusInternals } from './bus.ts';
import { problemOf } from './consumer-health.ts';
import { consumerReporter } from './consumer-metrics.ts';
import { type ConsumerDeclaration, ensureConsumer, foundOrUndefined, type StreamName } from './topology.ts';
import { backoffMs, sleep } from './waiting.ts';

export interface DurableConsumerOptions {
  readonly internals: BusInternals;
  readonly stream: StreamName;
  readonly declaration: ConsumerDeclaration;
  /** How often to check that it still exists and fits, ms. */
  readonly checkMs: number;
  readonly signal: AbortSignal;
  /**
   * Takes messages from the consumer until `lost` aborts (then it must let go) or it cannot go on. It is
   * called again with the consumer restored. What it throws is logged.
   */
  readonly take: (consumer: Consumer, lost: AbortSignal) => Promise<void>;
}

/**
 * Keeps a durable consumer alive until `signal` aborts: creates it, and creates it again when it, or its
 * stream, vanished or fell behind what it believes to have delivered.
 */
export const keepDurableConsumer = async (options: DurableConsumerOptions): Promise<void> => {
  const { internals, signal, stream, declaration, take } = options;
  for (let failures = 0; !signal.aborted; ) {
    const lost = new AbortController();
    const giveUp = () => lost.abort();
    signal.addEventListener('abort', giveUp, { once: true });
    await internals.whenConnected(signal);
    try {
      await internals.ensureStreams();
      const info = await ensureConsumer(internals.jsm, stream, declaration, internals.topology.keptBy);
      failures = 0;
      void watch(options, lost);
      await take(internals.js.consumers.getConsumerFromInfo(info), lost.signal);
    } catch (thrown) {
      if (internals.nc.isClosed()) return;
      const delayMs = backoffMs(failures, 50, 2_000);
      failures += 1;
      internals.logger.warn(
        { err: thrown, stream, consumer: declaration.durable_name, delayMs },
        'a consumer was interrupted; will resume',
      );
      await sleep(delayMs, signal);
    } finally {
      lost.abort();
      signal.removeEventListener('abort', giveUp);
    }
  }
};

/**
 * Aborts `lost` when the consumer is found unable to deliver, and after each reconnect: the client library asks the new
 * server for messages only if that can tell of the consumer at once, which it cannot while a leader is being elected.
 * Tells when the consumer is there and makes no progress all the same.
 */
const watch = async (options: DurableConsumerOptions, lost: AbortController): Promise<void> => {
  const { internals, stream, declaration, checkMs } = options;
  const stop = internals.onReconnect(() => lost.abort());
  const report = consumerReporter(internals.logger, stream, declaration.durable_name);
  while (!lost.signal.aborted) {
    await sleep(checkMs, lost.signal);
    if (lost.signal.aborted || !internals.connected()) continue;
    try {
      const sight = await look(options);
      if (sight === undefined || problemOf({ ...sight, stalledMs: 0, givenUp: 0 }) === 'ahead_of_stream') {
        internals.logger.warn(
          { stream, consumer: declaration.durable_name },
          'a consumer is lost; restoring it',
        );
        lost.abort();
      } else report.see(sight, sight.state);
    } catch (thrown) {
      // The broker does not answer now: reconnecting or the next look will tell.
      internals.logger.debug({ err: thrown, stream }, 'checking a consumer failed');
    }
  }
  report.end();
  stop();
};

const look = async ({ internals: { jsm }, stream, declaration }: DurableConsumerOptions) => {
  const info = await foundOrUndefined(jsm.consumers.info(stream, declaration.durable_name));
  if (info === undefined) return undefined;
  const { state } = await jsm.streams.info(stream);
  return { stream, info, lastSequence: state.last_seq, state };
};
