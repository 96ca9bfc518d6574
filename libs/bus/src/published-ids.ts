import { DeliverPolicy } from '@nats-io/jetstream';
import type { BusInternals } from './bus.ts';
import { subjects } from './subjects.ts';
import { streams } from './topology.ts';

/** How far the clocks of a service and of the broker may be apart before an event is overlooked, milliseconds. */
const clockSkewMs = 5 * 60_000;

/**
 * The message ids of a service's events that the stream `EVENTS` holds and that were committed at `time` or later. The
 * server itself drops a message that it got before only within a window of minutes; beyond it, whoever publishes again
 * has to ask first.
 */
export const publishedIds = async (
  { js }: BusInternals,
  service: string,
  time: string,
): Promise<ReadonlySet<string>> => {
  const ids = new Set<string>();
  const consumer = await js.consumers.get(streams.events, {
    // As one text, so that the right to read it can name it.
    filter_subjects: `${subjects.events}.${service}.>`,
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(Date.parse(time) - clockSkewMs).toISOString(),
    headers_only: true,
  });
  const { num_pending: pending } = await consumer.info();
  if (pending === 0) return ids;
  const messages = await consumer.consume({ max_messages: 1_024, abort_on_missing_resource: true });
  try {
    for await (const message of messages) {
      ids.add(message.headers?.get('Nats-Msg-Id') ?? '');
      if (message.info.pending === 0) break;
    }
  } finally {
    await messages.close();
  }
  return ids;
};
