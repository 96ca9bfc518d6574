import { AckPolicy, DeliverPolicy, type JsMsg, type StoredMsg } from '@nats-io/jetstream';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { exhaustedConsumer, exhaustedSubject } from './access/declared-consumers.ts';
import type { BusInternals } from './bus.ts';
import { publishDeadLetter } from './dead-letter-record.ts';
import type { DurableConsumerOptions } from './durable-consumer.ts';
import { runQueue } from './queue.ts';
import { foundOrUndefined, type StreamName, streams } from './topology.ts';

/** A message that the server delivered as often as it may. */
export interface ExhaustedMessage {
  /** In its stream. */
  readonly seq: number;
  readonly subject: string;
  readonly header: MsgHdrs;
  readonly data: Uint8Array;
  readonly deliveries: number;
}

export interface BuryExhaustedOptions
  extends Pick<DurableConsumerOptions, 'internals' | 'signal' | 'checkMs'> {
  /** Stream and durable consumer whose given-up messages are buried. */
  readonly stream: StreamName;
  readonly consumer: string;
  /** Called when the dead letter is stored. */
  readonly buried: (message: ExhaustedMessage) => Promise<void>;
}

/** The server's notice that it delivered a message as often as it may (`max_deliver_advisory` v1). */
interface MaxDeliveriesNotice {
  readonly stream: StreamName;
  readonly consumer: string;
  readonly stream_seq: number;
  readonly deliveries: number;
}

export const noticeOf = (message: JsMsg): MaxDeliveriesNotice => message.json<MaxDeliveriesNotice>();

/** Ours: where an exhausted message that a keeper hands on came from, as JSON. */
const exhaustedHeader = 'millrace-exhausted';

type Origin = Pick<ExhaustedMessage, 'seq' | 'subject' | 'deliveries'>;

/** The message's own headers and where it came from. */
export const exhaustedHeaders = (message: StoredMsg, deliveries: number): MsgHdrs => {
  const result = headers();
  for (const [name, values] of message.header) {
    if (!name.toLowerCase().startsWith('nats-')) for (const value of values) result.append(name, value);
  }
  const origin: Origin = { seq: message.seq, subject: message.subject, deliveries };
  result.set(exhaustedHeader, JSON.stringify(origin));
  return result;
};

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
      durable_name: exhaustedConsumer(consumer),
      filter_subject:
        internals.topology.keptBy === 'keeper'
          ? exhaustedSubject(stream, consumer)
          : `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${stream}.${consumer}`,
      deliver_policy: DeliverPolicy.All,
      ack_policy: AckPolicy.Explicit,
    },
    process: async (notice) => {
      try {
        const message = handedOn(notice) ?? (await lookedUp(internals, stream, notice));
        if (message !== undefined) {
          await publishDeadLetter(internals, {
            id: `exhausted-${message.seq}`,
            consumer,
            subject: message.subject,
            reason: `delivered ${message.deliveries} times without being settled: it may end the process that handles it`,
            attempts: message.deliveries,
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

const handedOn = (notice: JsMsg): ExhaustedMessage | undefined => {
  const origin = notice.headers?.get(exhaustedHeader);
  if (!origin) return undefined;
  return { ...(JSON.parse(origin) as Origin), header: notice.headers ?? headers(), data: notice.data };
};

const lookedUp = async (
  { jsm }: BusInternals,
  stream: StreamName,
  notice: JsMsg,
): Promise<ExhaustedMessage | undefined> => {
  const { stream_seq: seq, deliveries } = noticeOf(notice);
  const message = await foundOrUndefined(jsm.streams.getMessage(stream, { seq }));
  if (!message) return undefined;
  const { subject, header, data } = message;
  return { seq, subject, header, data, deliveries };
};
