import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ErrorCode } from '@millrace/errors';
import { MongoClient } from 'mongodb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { expectError } from '../src/conformance/fixture.ts';
import {
  type Collection,
  type DocumentStore,
  type NewMessage,
  openMongoStore,
  openStore,
} from '../src/index.ts';
import { startCuttingProxy } from './cutting-proxy.ts';
import { startMongoServer } from './mongo-server.ts';
import { useFolders } from './temporary-folder.ts';
import { useMongoServer } from './use-mongo-server.ts';

interface Counter {
  readonly count: number;
}

const newFolder = useFolders();
const open: { close(): unknown }[] = [];
const server = useMongoServer();
let databases = 0;

afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource.close();
});

const track = <R extends { close(): unknown }>(resource: R): R => {
  open.push(resource);
  return resource;
};

const newService = (): string => {
  databases += 1;
  return `service-${databases}`;
};

const openAs = async (service: string, url = server.url): Promise<DocumentStore> =>
  track(await openStore({ url, service }));

const countersOf = (store: DocumentStore): Collection<Counter> => store.collection({ name: 'counters' });

const eventOf = (key: string, data: NewMessage['data'] = null): NewMessage => ({
  subject: 's',
  type: 't',
  entity: `training.counter/${key}`,
  key,
  data,
});

const increment = (store: DocumentStore, key: string): Promise<unknown> =>
  countersOf(store).update(key, (current) => {
    const count = (current?.document.count ?? 0) + 1;
    return { document: { count }, messages: [eventOf(key, { count })] };
  });

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Expects the counter, its version and its events all to tell of `count` increments, one after the other. */
const expectCount = async (store: DocumentStore, key: string, count: number): Promise<void> => {
  expect(await countersOf(store).get(key)).toEqual({ key, version: count, document: { count } });
  const events = await store.outbox.history(`training.counter/${key}`, 0);
  expect(events.map(({ sequence }) => sequence)).toEqual(upTo(count));
  expect(events.map(({ json }) => JSON.parse(json))).toEqual(upTo(count).map((value) => ({ count: value })));
  const positions = events.map(({ position }) => position);
  expect(positions).toEqual([...new Set(positions)].toSorted((one, other) => one - other));
};

const start = (script: string, ...args: string[]): ChildProcess =>
  spawn(process.execPath, [join(import.meta.dirname, script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });

describe('a process killed while it commits to MongoDB', () => {
  /** Kills the process as soon as it has acknowledged `atLeast` commits; returns all that it acknowledged. */
  const killAfter = async (service: string, atLeast: number): Promise<readonly string[]> => {
    const child = start('commit-loop.ts', server.url, service);
    const exited = once(child, 'exit');
    const acknowledged: string[] = [];
    for await (const line of createInterface({ input: child.stdout! })) {
      acknowledged.push(line);
      if (acknowledged.length === atLeast) child.kill('SIGKILL');
    }
    expect((await exited)[1]).toBe('SIGKILL');
    return acknowledged;
  };

  it('leaves every acknowledged commit with its event, time after time on the same store', async () => {
    const service = newService();
    const store = await openAs(service);
    const runs = store.collection({ name: 'runs', indexes: [{ path: 'number', type: 'number' }] });
    const acknowledged: string[] = [];
    for (const atLeast of [1, 50, 200]) {
      acknowledged.push(...(await killAfter(service, atLeast)));
      const keys: string[] = [];
      for await (const { key } of runs.scan()) keys.push(key);
      expect(acknowledged.filter((key) => !keys.includes(key))).toEqual([]);
      const events = await store.outbox.pending(10_000);
      expect(events.map(({ key }) => key).toSorted()).toEqual(keys);
      expect(events.every(({ sequence }) => sequence === 1)).toBe(true);
    }
  });
});

describe('several processes with one MongoDB store', () => {
  it('lose no update of each other, and number and place the events in order', async () => {
    const service = newService();
    const store = await openAs(service);
    const children = upTo(2).map(() => start('counter-loop.ts', server.url, service, '100', 'a,b'));
    await Promise.all([
      ...children.map(async (child) => expect((await once(child, 'exit'))[0]).toBe(0)),
      ...upTo(100).map(() => increment(store, 'a')),
    ]);
    await expectCount(store, 'a', 300);
    await expectCount(store, 'b', 200);
  });

  it('let one of two commits over the same version win', async () => {
    const service = newService();
    const stores = [await openAs(service), await openAs(service)];
    await increment(stores[0]!, 'a');
    const results = await Promise.allSettled(
      stores.map((store) => countersOf(store).commit({ key: 'a', expected: 1, document: { count: 2 } })),
    );
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const [lost] = results.filter((result) => result.status === 'rejected');
    expect(lost?.reason).toMatchObject({ code: ErrorCode.conflict });
  });

  it('see an event as handled that another has handled', async () => {
    const service = newService();
    const stores = [await openAs(service), await openAs(service)];
    const handled = { consumer: 'c', entity: 'ingest.dataset/flights', sequence: 1 };
    const change = { expected: 0, document: { count: 1 }, handled };
    await countersOf(stores[0]!).commit({ ...change, key: 'a' });
    const again = await countersOf(stores[1]!).commit({ ...change, key: 'b' });
    expect(again).toEqual({ status: 'already_handled' });
  });

  it('see the messages of each other, though only the committing one is called back', async () => {
    const service = newService();
    const stores = [await openAs(service), await openAs(service)];
    const called = vi.fn();
    stores[1]!.outbox.onCommit(called);
    await increment(stores[0]!, 'a');
    expect(await stores[1]!.outbox.pending(10)).toHaveLength(1);
    expect(called).not.toHaveBeenCalled();
  });

  it('run a migration once', async () => {
    const service = newService();
    const stores = await Promise.all(upTo(3).map(() => openAs(service)));
    const up = vi.fn(async (store: DocumentStore) => {
      await increment(store, 'migrated');
    });
    await Promise.all(stores.map((store) => store.migrate([{ number: 1, name: 'count', up }])));
    expect(up).toHaveBeenCalledTimes(1);
    await expectCount(stores[0]!, 'migrated', 1);
  });

  it('refuse a database of another service', async () => {
    const url = server.url;
    await openMongoStore({ url, database: 'owned', service: 'training' }).then(track);
    const stranger = openMongoStore({ url, database: 'owned', service: 'registry' });
    await expectError(stranger, ErrorCode.failedPrecondition);
  });
});

describe('a MongoDB server that is killed', () => {
  it('makes commits unavailable after the patience, keeps what it acknowledged, and is used again', async () => {
    const file = join(await newFolder(), 'mongo.db');
    let own = await startMongoServer({ file });
    const service = newService();
    const options = { url: own.url, database: 'd', service, patienceMs: 1_500 };
    const store = track(await openMongoStore(options));
    const counters = countersOf(store);
    const acknowledged: string[] = [];
    let next = 0;
    const work = async (): Promise<unknown> => {
      for (;;) {
        next += 1;
        const key = `run-${next}`;
        const refusal = await counters.insert(key, { count: 1 }, [eventOf(key)]).then(
          () => acknowledged.push(key) && undefined,
          (thrown: unknown) => thrown,
        );
        if (refusal !== undefined) return refusal;
      }
    };
    const working = upTo(16).map(work);
    await vi.waitUntil(() => acknowledged.length >= 200, { timeout: 60_000 });
    await own.kill();
    for (const refusal of await Promise.all(working)) {
      expect(refusal).toMatchObject({ code: ErrorCode.unavailable });
    }
    await expectError(store.ping(), ErrorCode.unavailable);

    own = await startMongoServer({ file, port: own.port });
    open.unshift({ close: () => own.kill() });
    await vi.waitFor(() => store.ping(), { timeout: 60_000 });
    await counters.insert('after', { count: 1 }, [eventOf('after')]);
    const keys = new Set<string>();
    for await (const { key } of counters.scan()) keys.add(key);
    expect(acknowledged.filter((key) => !keys.has(key))).toEqual([]);
    const events = await store.outbox.pending(10_000);
    expect(events.map(({ key }) => key).toSorted()).toEqual([...keys].toSorted());
  });

  it('is waited for when it comes back within the patience', async () => {
    const file = join(await newFolder(), 'mongo.db');
    const first = await startMongoServer({ file });
    const store = track(await openMongoStore({ url: first.url, database: 'd', service: newService() }));
    await increment(store, 'a');
    await first.kill();
    const waiting = Promise.all(upTo(20).map(() => increment(store, 'a')));
    const second = await startMongoServer({ file, port: first.port });
    open.unshift({ close: () => second.kill() });
    await waiting;
    await expectCount(store, 'a', 21);
  });

  it('keeps a store from opening, with a clear error', async () => {
    const gone = await startMongoServer();
    await gone.kill();
    const opening = openMongoStore({ url: gone.url, database: 'd', service: 'training', patienceMs: 100 });
    await expectError(opening, ErrorCode.unavailable);
  });
});

/** Numbers in [0, 1): mulberry32, so that a failure can be repeated. */
const seeded = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

describe('answers of MongoDB that are lost on their way', () => {
  it('make no commit take place twice, and none unknown', async () => {
    const random = seeded(7);
    let losing = false;
    const proxy = track(await startCuttingProxy(server.port, () => losing && random() < 0.2));
    const service = newService();
    const store = await openAs(service, `mongodb://127.0.0.1:${proxy.port}`);
    await increment(store, 'a');
    losing = true;
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(['a', 'b', 'c'].flatMap((key) => upTo(3).map(() => increment(store, key))));
    }
    losing = false;
    expect(proxy.cuts()).toBeGreaterThan(5);
    await expectCount(store, 'a', 31);
    await expectCount(store, 'b', 30);
    await expectCount(store, 'c', 30);
  });
});

describe('a relay of MongoDB', () => {
  const committed = async (): Promise<{ service: string; store: DocumentStore }> => {
    const service = newService();
    const store = await openAs(service);
    for (const key of ['a', 'b', 'a', 'c', 'a']) await increment(store, key);
    return { service, store };
  };
  const keysOf = (messages: readonly { readonly key: string }[]): string =>
    messages.map(({ key }) => key).join('');

  it('gets messages in the order of commits, from whatever documents and collections', async () => {
    const { store } = await committed();
    const others = store.collection<Counter>({ name: 'others' });
    await others.insert('d', { count: 1 }, [eventOf('d')]);
    await increment(store, 'b');
    expect(keysOf(await store.outbox.pending(100))).toBe('abacadb');
    for (const limit of upTo(7)) {
      expect(keysOf(await store.outbox.pending(limit))).toBe('abacadb'.slice(0, limit));
    }
  });

  it('that dies between publishing and marking gets the same messages again', async () => {
    const { service, store } = await committed();
    const published = await store.outbox.pending(2);
    await store.close();
    const next = await openAs(service);
    expect(await next.outbox.pending(2)).toEqual(published);
  });

  it('that dies between the outbox and the documents leaves no message lost or sent for ever', async () => {
    const { service, store } = await committed();
    const [first] = await store.outbox.pending(1);
    const client = track(await new MongoClient(server.url).connect());
    const { position, json: data, ...message } = first!;
    // What the first half of `markSent` leaves.
    await client
      .db(`millrace_${service}`)
      .collection<{ _id: number }>('outbox')
      .insertOne({
        ...message,
        _id: position,
        headers: '{}',
        data,
        sentTime: '2026-01-01T00:00:00.000Z',
      } as never);
    expect(keysOf(await store.outbox.pending(10))).toBe('abaca');
    const history = await store.outbox.history('training.counter/a', 0);
    expect(history.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    await store.outbox.markSent([position]);
    expect(keysOf(await store.outbox.pending(10))).toBe('baca');
    const sent = await store.outbox.sentSince('2000-01-01T00:00:00.000Z', 0, 10);
    expect(sent.map((item) => item.position)).toEqual([position]);
  });

  it('gets the right messages when what the index tells of a document is too low', async () => {
    const { service, store } = await committed();
    const [first] = await store.outbox.pending(1);
    await store.outbox.markSent([first!.position]);
    const client = track(await new MongoClient(server.url).connect());
    const counters = client.db(`millrace_${service}`).collection<{ _id: string }>('documents.counters');
    await counters.updateOne({ _id: 'a' }, { $set: { firstUnsent: 1 } });
    expect(keysOf(await store.outbox.pending(1))).toBe('b');
    expect(keysOf(await store.outbox.pending(10))).toBe('baca');
  });

  it('and commits to the same document do not disturb one another', async () => {
    const service = newService();
    const store = await openAs(service);
    let sent = 0;
    const relay = async (): Promise<void> => {
      while (sent < 200) {
        const batch = await store.outbox.pending(10);
        expect(batch.map(({ sequence }) => sequence)).toEqual(upTo(batch.length).map((n) => n + sent));
        await store.outbox.markSent(batch.map(({ position }) => position));
        sent += batch.length;
      }
    };
    const committing = async (): Promise<void> => {
      for (const _ of upTo(200)) await increment(store, 'a');
    };
    await Promise.all([relay(), committing()]);
    await expectCount(store, 'a', 200);
    expect(await store.outbox.stats()).toEqual({ pending: 0 });
  });
});

describe('a commit that MongoDB refuses', () => {
  it('is refused alone, also when it shares its document with others', async () => {
    const store = await openAs(newService());
    const named = store.collection<{ name?: string; count: number }>({
      name: 'named',
      indexes: [{ path: 'name', type: 'text', unique: true }],
    });
    await named.insert('taken', { name: 'flights', count: 0 });
    const raise = (name?: string) =>
      named.update('a', (current) => ({
        document: { count: (current?.document.count ?? 0) + 1, ...(name === undefined ? {} : { name }) },
      }));
    const results = await Promise.allSettled([raise(), raise('flights'), raise('trains')]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { code: ErrorCode.conflict, details: { field: 'name' } } });
    expect(await named.get('a')).toEqual({ key: 'a', version: 2, document: { count: 2, name: 'trains' } });
  });

  it('names the message whose entity belongs to another document', async () => {
    const store = await openAs(newService());
    await increment(store, 'owner');
    const results = await Promise.allSettled([
      countersOf(store).insert('a', { count: 0 }, [eventOf('a')]),
      countersOf(store).insert('thief', { count: 0 }, [eventOf('thief'), eventOf('owner')]),
      countersOf(store).insert('b', { count: 0 }, [eventOf('b')]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { violations: [{ path: 'messages[1].entity' }] } });
    expect(await countersOf(store).get('thief')).toBeUndefined();
  });

  it('is too large together with the messages that wait in its document', async () => {
    const store = await openAs(newService());
    const half = 'x'.repeat(8_380_000);
    await increment(store, 'a');
    const swollen = countersOf(store).commit({
      key: 'a',
      expected: 1,
      document: { count: 2, half } as Counter,
      messages: [eventOf('a', half + half)],
    });
    await expectError(swollen, ErrorCode.exhausted);
    await expectCount(store, 'a', 1);
  });
});
