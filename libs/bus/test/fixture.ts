import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineEvent, entityId, type MessageCodec } from '@millrace/contracts';
import { type DocumentStore, openSqliteStore } from '@millrace/store';
import { vi } from 'vitest';
import {
  type Bus,
  type BusLogger,
  connectBus,
  type EventConsumerOptions,
  type OutboxPort,
  type Outcome,
  type StoredMessage,
} from '../src/index.ts';
import { type Event, type EventContext, subscription } from '../src/port.ts';

export interface Payload {
  readonly value: number;
  readonly name: string;
}

/** As generated codecs read: strict about nothing but what it is given here. */
export const payloadCodec: MessageCodec<Payload> = {
  encode: () => ({ finish: () => new Uint8Array() }),
  decode: () => ({ value: 0, name: '' }),
  fromJSON: (json) => {
    const { value, name } = json as Partial<Payload>;
    if (typeof value !== 'number') throw new TypeError('value is not a number');
    return { value, name: name ?? '' };
  },
  toJSON: (message) => message,
};

export const changed = defineEvent<Payload>('millrace.testing.thing.changed.v1', payloadCodec);
export const renamed = defineEvent<Payload>('millrace.testing.thing.renamed.v1', payloadCodec);

export const thing = (key: string): string => entityId(changed, key);

interface Counter {
  readonly count: number;
}

/** A store with one collection, whose commits cause events. */
export interface TestStore {
  readonly store: DocumentStore;
  /** Commits a change of thing `key` with one event of it per payload. */
  change(key: string, ...payloads: readonly Partial<Payload>[]): Promise<void>;
  close(): Promise<void>;
}

export const testStore = async (file?: string, now = () => new Date()): Promise<TestStore> => {
  const directory = file === undefined ? await mkdtemp(join(tmpdir(), 'millrace-bus-')) : undefined;
  const path = file ?? join(directory as string, 'store.db');
  const store = await openSqliteStore({ path, service: 'testing', now });
  const things = store.collection<Counter>({ name: 'things' });
  return {
    store,
    change: async (key, ...payloads) => {
      await things.update(key, (current) => ({
        document: { count: (current?.document.count ?? 0) + payloads.length },
        messages: payloads.map((payload) => ({
          subject: changed.subject,
          type: changed.type,
          entity: thing(key),
          key,
          data: { value: 0, name: '', ...payload },
        })),
      }));
    },
    close: async () => {
      await store.close();
      if (directory !== undefined) await rm(directory, { recursive: true, force: true });
    },
  };
};

/** A logger that shows everything when `DEBUG_BUS` is set. */
const logger: BusLogger = (() => {
  const log = (level: string) => (fields: object, message: string) => {
    if (process.env.DEBUG_BUS !== undefined)
      console.error(Math.round(performance.now()), level, message, fields);
  };
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
})();

export const testBus = (url: string, service = 'testing'): Promise<Bus> =>
  connectBus({ url, service, logger, topology: { replicas: 1 } });

/** Records what a consumer handles; `answer` decides the outcome. */
export const recorder = (
  answer: (event: Event<Payload>) => Outcome | Promise<Outcome> = () => ({ kind: 'done' }),
) => {
  const events: Event<Payload>[] = [];
  const handle = async (event: Event<Payload>, _context: EventContext): Promise<Outcome> => {
    const outcome = await answer(event);
    if (outcome.kind === 'done') events.push(event);
    return outcome;
  };
  return {
    events,
    subscriptions: [subscription(changed, handle)] satisfies EventConsumerOptions['subscriptions'],
    values: (key?: string) =>
      events.filter((event) => key === undefined || event.key === key).map((event) => event.data.value),
    sequences: (key: string) => events.filter((event) => event.key === key).map((event) => event.sequence),
  };
};

/** Waits until the condition holds; fails with its last error otherwise. */
export const until = (condition: () => void | Promise<void>, timeoutMs = 60_000): Promise<void> =>
  vi.waitFor(condition, { timeout: timeoutMs, interval: 20 });

/** An event as an outbox would hold it, to publish past the relay. */
export const storedEvent = (
  key: string,
  sequence: number,
  more: Partial<StoredMessage> & { readonly value?: number } = {},
): StoredMessage => {
  const { value = sequence, ...rest } = more;
  return {
    id: `${key}-${sequence}-${Math.random()}`,
    position: sequence,
    sequence,
    time: new Date().toISOString(),
    subject: changed.subject,
    type: changed.type,
    entity: thing(key),
    key,
    json: JSON.stringify({ value, name: '' }),
    ...rest,
  };
};

/** The events of an entity that a broker never got, for `serveRefill`. */
export const historyOutbox = (events: readonly StoredMessage[]): OutboxPort => ({
  pending: async () => [],
  markSent: async () => {},
  onCommit: () => () => {},
  sentSince: async () => [],
  history: async (entity, after, upTo = Number.MAX_SAFE_INTEGER) =>
    events.filter((each) => each.entity === entity && each.sequence > after && each.sequence <= upTo),
});

/** What a test of events has for itself. */
export interface EventTest {
  readonly bus: Bus;
  readonly owner: TestStore;
  /** Of a consumer that nobody else has. */
  readonly name: string;
  /** Of an entity that nobody else changes. */
  readonly key: string;
}

/** Begins with no event in the stream. `topic` is the begin of the consumer's name. */
export const eventTest = async (url: string, topic: string): Promise<EventTest> => {
  const bus = await testBus(url);
  await bus.internals.jsm.streams.purge('EVENTS');
  return { bus, owner: await testStore(), name: `${topic}-${randomUUID()}`, key: randomUUID() };
};
