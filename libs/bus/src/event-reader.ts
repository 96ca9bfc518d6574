import { Unavailable } from '@millrace/errors';
import { DeliverPolicy, type JsMsg, type OrderedConsumerOptions } from '@nats-io/jetstream';
import type { BusInternals } from './bus.ts';
import { headerRecord } from './cloud-events.ts';
import { closeWhenSilent } from './silence.ts';
import { checkFilter, subjects } from './subjects.ts';
import { streams } from './topology.ts';
import { backoffMs, sleep } from './waiting.ts';

export interface EventReaderOptions {
  /** Subjects, wildcards allowed; default all events. */
  readonly filterSubjects?: readonly string[];
  /** A stream sequence to read after, a time to read from, only what comes now (default), or all there is. */
  readonly since?: { readonly afterSequence: number } | { readonly time: string | Date } | 'new' | 'all';
  /** `false`: end after the last event that there is now, instead of waiting for more. Default `true`. */
  readonly follow?: boolean;
  /** Ends the reading. */
  readonly signal?: AbortSignal;
}

/** An event as it went over the bus, for whoever looks on. */
export interface TailedEvent {
  /** Sequence in the stream; give it as `since.afterSequence` to go on after this event. */
  readonly streamSequence: number;
  readonly subject: string;
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly entity: string;
  readonly key: string;
  /** Position among the entity's events. */
  readonly sequence: number;
  readonly time: string;
  /** The payload; text where it is not JSON. */
  readonly data: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** See `Bus.readEvents`. Throws `Invalid` on a bad filter; otherwise it ends only by its signal or the bus's end. */
export async function* readEvents(
  internals: BusInternals,
  options: EventReaderOptions = {},
): AsyncGenerator<TailedEvent> {
  const filters = (options.filterSubjects ?? [`${subjects.events}.>`]).map((filter) =>
    checkFilter(filter, 'filterSubjects'),
  );
  const place: Place = { start: startOf(options.since ?? 'new'), last: undefined };
  const follow = options.follow ?? true;
  for (let failures = 0; !ended(internals, options.signal); ) {
    await internals.whenConnected(options.signal);
    try {
      for await (const event of readOnce(internals, filters, place, { follow, signal: options.signal })) {
        failures = 0;
        yield event;
      }
      if (!follow) return;
    } catch (thrown) {
      internals.logger.debug({ err: thrown }, 'reading events was interrupted; resuming');
      failures += 1;
      await sleep(backoffMs(failures, 50, 2_000), options.signal);
    }
  }
}

/** See `Bus.lastEventSequence`. */
export const lastEventSequence = async ({ jsm, connected }: BusInternals): Promise<number> => {
  if (!connected()) throw new Unavailable('not connected to the broker');
  return (await jsm.streams.info(streams.events)).state.last_seq;
};

interface Place {
  start: Partial<OrderedConsumerOptions>;
  last: number | undefined;
}

const ended = ({ nc }: BusInternals, signal: AbortSignal | undefined): boolean =>
  signal?.aborted === true || nc.isClosed() || nc.isDraining();

const startOf = (since: NonNullable<EventReaderOptions['since']>): Partial<OrderedConsumerOptions> => {
  if (since === 'new') return { deliver_policy: DeliverPolicy.New };
  if (since === 'all') return { deliver_policy: DeliverPolicy.All };
  if ('time' in since) {
    const opt_start_time = new Date(since.time).toISOString();
    return { deliver_policy: DeliverPolicy.StartTime, opt_start_time };
  }
  return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: since.afterSequence + 1 };
};

async function* readOnce(
  internals: BusInternals,
  filters: readonly string[],
  place: Place,
  { follow, signal }: { readonly follow: boolean; readonly signal: AbortSignal | undefined },
): AsyncGenerator<TailedEvent> {
  const start = await resumeAt(internals, place);
  const consumer = await internals.js.consumers.get(streams.events, {
    ...start,
    // One as a text, so that the right to read it can name it.
    filter_subjects: filters.length === 1 ? (filters[0] ?? []) : [...filters],
  });
  if (!follow && (await consumer.info()).num_pending === 0) return;
  const messages = await consumer.consume({
    max_messages: 256,
    expires: 10_000,
    idle_heartbeat: 2_000,
    abort_on_missing_resource: true,
  });
  const end = () => void messages.close();
  void closeWhenSilent(messages);
  // Its server may be the one that is gone; what it read is known, so a new one is as good.
  const stopWatching = internals.onReconnect(end);
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted === true) end();
  try {
    for await (const message of messages) {
      place.last = message.seq;
      yield tailedEvent(message);
      if (!follow && message.info.pending === 0) return;
    }
  } finally {
    signal?.removeEventListener('abort', end);
    stopWatching();
    await messages.close();
  }
}

/** Where to go on. Numbers start anew when the stream was made anew, so a place beyond its end means its start. */
const resumeAt = async ({ jsm }: BusInternals, place: Place): Promise<Partial<OrderedConsumerOptions>> => {
  const from = place.last === undefined ? place.start : startOf({ afterSequence: place.last });
  if (from.opt_start_seq === undefined) return from;
  const { state } = await jsm.streams.info(streams.events);
  return from.opt_start_seq > state.last_seq + 1 ? startOf('all') : from;
};

const tailedEvent = (message: JsMsg): TailedEvent => {
  const record = headerRecord(message.headers);
  let data: { readonly read: unknown } | undefined;
  return {
    streamSequence: message.seq,
    subject: message.subject,
    id: record['ce-id'] ?? '',
    type: record['ce-type'] ?? '',
    source: record['ce-source'] ?? '',
    entity: record['ce-millraceentity'] ?? '',
    key: record['ce-subject'] ?? '',
    sequence: Number(record['ce-sequence'] ?? 0),
    time: record['ce-time'] ?? message.time.toISOString(),
    /** Read when it is asked for: many readers look for few events. */
    get data() {
      data ??= { read: jsonOrText(message) };
      return data.read;
    },
    headers: record,
  };
};

const jsonOrText = (message: JsMsg): unknown => {
  try {
    return message.json();
  } catch {
    return message.string();
  }
};
