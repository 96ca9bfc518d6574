import type { Bus } from '@millrace/bus';
import { until } from './wait.ts';

type StreamedMessage = Awaited<ReturnType<typeof readAll>>[number];

const readAll = async ({ internals }: Bus) => {
  const { state } = await internals.jsm.streams.info('EVENTS');
  const messages = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const message = await internals.jsm.streams.getMessage('EVENTS', { seq });
    if (message !== null) messages.push(message);
  }
  return messages;
};

/**
 * Publishes every event of the stream once more, in an order of the caller's; `anew` also hides from the broker that
 * it had them before. Answers how many there were, and how many of them the broker took for new.
 */
export const republishEvents = async (
  bus: Bus,
  order: (messages: StreamedMessage[]) => readonly StreamedMessage[],
  { anew }: { readonly anew: boolean },
): Promise<{ readonly published: number; readonly added: number }> => {
  const messages = order(await readAll(bus));
  let added = 0;
  for (const { subject, data, header } of messages) {
    if (anew) header.delete('Nats-Msg-Id');
    const { duplicate } = await bus.internals.js.publish(subject, data, { headers: header });
    if (!duplicate) added += 1;
  }
  return { published: messages.length, added };
};

export interface ForeignEvent {
  /** `millrace.test.bulk.noted.v1` */
  readonly type: string;
  /** `test.bulk/one` */
  readonly entity: string;
  readonly sequence: number;
  /** The whole payload, as it goes over the wire. */
  readonly payload: string | Uint8Array;
  /** Attributes that are not as they should be. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Publishes an event that no service made, with all the headers that ours have. */
export const publishForeign = async (bus: Bus, event: ForeignEvent): Promise<void> => {
  const { jsm, js } = bus.internals;
  const { state } = await jsm.streams.info('EVENTS');
  const sample = await jsm.streams.getMessage('EVENTS', { seq: state.first_seq });
  if (sample === null) throw new Error('the stream has no event to take the headers from');
  const { header } = sample;
  const { type, entity, sequence, payload } = event;
  const attributes: Readonly<Record<string, string>> = {
    'ce-id': `foreign-${entity}-${sequence}`,
    'ce-type': type,
    'ce-source': `/millrace/${type.split('.')[1]}`,
    'ce-subject': entity.slice(entity.indexOf('/') + 1),
    'ce-time': new Date().toISOString(),
    'ce-sequence': String(sequence),
    'ce-millraceentity': entity,
    ...event.headers,
  };
  header.delete('Nats-Msg-Id');
  for (const [name, value] of Object.entries(attributes)) header.set(name, value);
  await js.publish(type.replace(/^millrace\./, 'millrace.evt.'), payload, { headers: header });
};

/** Publishes the stream's events over and over, as new to the broker, until so many were published. */
export const republishManyTimes = async (bus: Bus, times: number): Promise<void> => {
  const messages = await readAll(bus);
  for (const { header } of messages) header.delete('Nats-Msg-Id');
  const atOnce = 200;
  for (let done = 0; done < times; done += atOnce) {
    const some = Array.from(
      { length: Math.min(atOnce, times - done) },
      (_, i) => messages[(done + i) % messages.length],
    );
    await Promise.all(
      some.map((message) =>
        message === undefined
          ? undefined
          : bus.internals.js.publish(message.subject, message.data, { headers: message.header }),
      ),
    );
  }
};

/** Publishes an event that looks right to the broker and has no readable payload. */
export const publishPoison = async (bus: Bus, like: string, key: string): Promise<void> => {
  const sample = (await readAll(bus)).find(({ subject }) => subject === like);
  if (sample === undefined) throw new Error(`no event of ${like} to make the poison from`);
  const { header } = sample;
  const entity = header.get('ce-millraceentity').replace(/\/.*$/, `/${key}`);
  const changes = { 'ce-id': `poison-${key}`, 'ce-subject': key, 'ce-sequence': '1' };
  for (const [name, value] of Object.entries({ ...changes, 'ce-millraceentity': entity })) {
    header.set(name, value);
  }
  header.delete('Nats-Msg-Id');
  await bus.internals.js.publish(like, new TextEncoder().encode('{"not json'), { headers: header });
};

/** Waits until every durable consumer of the stream has handled all that it holds. */
export const untilHandled = async ({ internals }: Bus): Promise<void> => {
  await until('all events to be handled', async () => {
    let open = 0;
    for await (const { config, num_pending, num_ack_pending } of internals.jsm.consumers.list('EVENTS')) {
      if (config.durable_name !== undefined) open += num_pending + num_ack_pending;
    }
    return open === 0 ? true : undefined;
  });
};
