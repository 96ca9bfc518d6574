import { messageOf, NotFound } from '@millrace/errors';
import { AckPolicy, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import {
  type DeclarationSettings,
  type DeclaredConsumer,
  declaredConsumers,
  exhaustedSubject,
} from './access/declared-consumers.ts';
import type { Bus } from './bus.ts';
import { replayDeadLetter } from './dead-letters.ts';
import { exhaustedHeaders, noticeOf } from './exhausted.ts';
import type { Running } from './port.ts';
import { runQueue } from './queue.ts';
import { subjects } from './subjects.ts';
import { ensureConsumer, foundOrUndefined, streams } from './topology.ts';
import { Wake } from './waiting.ts';

export interface KeeperOptions extends DeclarationSettings {
  /** A connection that may do everything on the streams. */
  readonly bus: Bus;
  /** How often to look, ms; default 2,000. */
  readonly checkMs?: number;
}

/**
 * Keeps the streams and the declared consumers of all services, for services that may only use them: creates what is
 * missing, replaces consumers that lost their place, hands on what a server gave up on, and replays dead letters when
 * asked. Several may run at once.
 */
export const startKeeper = ({ bus, checkMs = 2_000, ...settings }: KeeperOptions): Running => {
  const { internals } = bus;
  const stopping = new AbortController();
  const { signal } = stopping;
  const consumers = declaredConsumers(settings);
  const wake = new Wake();
  const forget = internals.onReconnect(() => wake.announce());

  const keep = async () => {
    while (!signal.aborted) {
      await internals.whenConnected(signal);
      try {
        await internals.ensureStreams();
        for (const consumer of consumers) await keepConsumer(internals, consumer);
      } catch (thrown) {
        if (signal.aborted || internals.nc.isClosed()) return;
        internals.logger.warn({ err: thrown }, `the topology is not as declared: ${messageOf(thrown)}`);
      }
      await wake.wait(checkMs, signal);
    }
  };
  const handingOn = runQueue({
    internals,
    signal,
    checkMs,
    stream: streams.exhausted,
    concurrency: 1,
    declaration: {
      durable_name: 'keeper-exhausted',
      filter_subject: `${exhaustedNotices}.>`,
      deliver_policy: DeliverPolicy.All,
      ack_policy: AckPolicy.Explicit,
    },
    process: (notice) => handOn(bus, notice),
  });
  const replaying = bus.reply(`${subjects.keeper}.replay`, (json) => {
    const { sequence } = (json ?? {}) as { readonly sequence?: unknown };
    if (typeof sequence !== 'number') throw new NotFound('a dead letter is named by its sequence');
    return replayDeadLetter(bus, sequence);
  });
  const finished = Promise.all([keep(), handingOn]);
  return {
    stop: async () => {
      stopping.abort();
      forget();
      await replaying.stop();
      await finished;
    },
  };
};

/** One that cannot be made must not keep the others from being. */
const keepConsumer = async (
  { jsm, nc, logger }: Bus['internals'],
  { stream, declaration }: DeclaredConsumer,
): Promise<void> => {
  try {
    await ensureConsumer(jsm, stream, declaration);
  } catch (thrown) {
    if (nc.isClosed()) throw thrown;
    logger.warn({ err: thrown, stream, consumer: declaration.durable_name }, 'a consumer cannot be made');
  }
};

const exhaustedNotices = '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES';

/** Gives a message that a server gave up on to its consumer's service, which may not read the stream itself. */
const handOn = async ({ internals }: Bus, notice: JsMsg): Promise<void> => {
  const { stream, consumer, stream_seq: seq, deliveries } = noticeOf(notice);
  try {
    const message = await foundOrUndefined(internals.jsm.streams.getMessage(stream, { seq }));
    if (message) {
      await internals.publisher.publish(exhaustedSubject(stream, consumer), message.data, {
        id: `exhausted-${stream}-${consumer}-${seq}`,
        headers: exhaustedHeaders(message, deliveries),
      });
      // A work queue keeps what nobody acknowledged; it is safe in the other stream now.
      if (stream === streams.steps) await internals.jsm.streams.deleteMessage(stream, seq);
    }
    notice.ack();
  } catch (thrown) {
    internals.logger.warn({ err: thrown, stream, consumer }, 'handing on an exhausted message failed');
    notice.nak(1_000);
  }
};
