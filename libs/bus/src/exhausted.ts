import { AckPolicy, DeliverPolicy, type StoredMsg } from '@nats-io/jetstream';
import { publishDeadLetter } from './dead-letter-record.ts';
import type { DurableConsumerOptions } from './durable-consumer.ts';
import { runQueue } from './queue.ts';
import { foundOrUndefined, type StreamName, streams } from './topology.ts';

export interface BuryExhaustedOptions
  extends Pick<DurableConsumerOptions, 'internals' | 'signal' | 'checkMs'> {
  /** Stream and durable consumer whose given-up messages are buried. */
  readonly stream: StreamName;
  readonly consumer: string;
  /** Called when the dead letter is stored. */
  readonly buried: (message: StoredMsg) => Promise<void>;
}

/** The server's notice that it delivered a message as often as it may (`max_deliver_advisory` v1). */
interface MaxDeliveriesNotice {
  readonly stream_seq: number;
  readonly deliveries: number;
}

/**
 * Moves to the dead letters what the server stopped delivering, because each delivery ended the process or
 * was never settled. The server's notices are kept in a stream, so none is missed while nobody runs.
 */
export const buryExhausted = ({
  internals,
  signal,
  checkMs,
  stream,
  consumer,
  buried,
}: BuryExhaustedOptions): Promise<void> =>
  runQueue({
    internals,
    signal,
    checkMs,
    stream: streams.exhausted,
    concurrency: 1,
    declaration: {
      durable_name: `${consumer}-exhausted`,
      filter_subject: `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${stream}.${consumer}`,
      deliver_policy: DeliverPolicy.All,
      ack_policy: AckPolicy.Explicit,
    },
    process: async (notice) => {
      try {
        const { stream_seq, deliveries } = notice.json<MaxDeliveriesNotice>();
        const message = await foundOrUndefined(internals.jsm.streams.getMessage(stream, { seq: stream_seq }));
        if (message !== undefined && message !== null) {
          await publishDeadLetter(internals, {
            id: `exhausted-${stream_seq}`,
            consumer,
            subject: message.subject,
            reason: `delivered ${deliveries} times without being settled: it may end the process that handles it`,
            attempts: deliveries,
            history: [],
            headers: message.header,
            body: message.data,
          });
          await buried(message);
        }
        notice.ack();
      } catch (thrown) {
        internals.logger.warn(
          { err: thrown, stream, consumer },
          'burying an exhausted message failed; will try again',
        );
        notice.nak(1_000);
      }
    },
  });
