import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestBroker, testBroker } from '@millrace/broker';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Bus,
  consumeEvents,
  type OutboxPort,
  rebuildIfLost,
  serveRefill,
  startRelay,
  work,
} from '../src/index.ts';
import { publishStored } from '../src/publish-stored.ts';
import {
  changed,
  payloadCodec,
  recorder,
  storedEvent,
  type TestStore,
  testBus,
  testStore,
  thing,
  until,
} from './fixture.ts';

let broker: TestBroker;
let bus: Bus;
let owner: TestStore;
let consumerStore: TestStore;

beforeEach(async () => {
  broker = await testBroker();
  bus = await testBus(broker.url);
  owner = await testStore();
  consumerStore = await testStore();
});
afterEach(async () => {
  await bus.drain({ graceMs: 100 });
  await owner.close();
  await consumerStore.close();
  await broker.stop();
});

const consume = (seen: ReturnType<typeof recorder>, more: object = {}) =>
  consumeEvents(bus, {
    name: 'faults',
    inbox: consumerStore.store.inbox,
    subscriptions: seen.subscriptions,
    checkMs: 200,
    graceMs: 50,
    ...more,
  });

/** Has the server forget which message ids it got, as it does after its window of two minutes. */
const forgetMessageIds = async () => {
  const { jsm, js } = bus.internals;
  const { config } = await jsm.streams.info('EVENTS');
  const publishProbe = () => js.publish('millrace.evt.probing.thing.changed.v1', '', { msgID: 'probe' });
  await publishProbe();
  await jsm.streams.update('EVENTS', { ...config, duplicate_window: 100 * 1_000_000 });
  await until(async () => expect((await publishProbe()).duplicate).toBe(false));
  await jsm.streams.purge('EVENTS', { filter: 'millrace.evt.probing.>' });
};

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe('when the broker is killed', () => {
  it('loses nothing that was committed, before, while and after it was away', async () => {
    startRelay({ bus, outbox: owner.store.outbox });
    serveRefill({ bus, outbox: owner.store.outbox });
    const seen = recorder();
    consume(seen);
    const keys = ['a', 'b', 'c', 'd'];
    const commit = async (value: number) => {
      for (const key of keys) await owner.change(key, { value });
    };
    for (const value of upTo(50)) {
      if (value === 15) await broker.kill();
      if (value === 30) await broker.start();
      if (value === 40) {
        await broker.kill();
        await broker.start();
      }
      await commit(value);
    }
    for (const key of keys) await until(() => expect(seen.values(key)).toEqual(upTo(50)));
    await until(async () => expect((await owner.store.outbox.stats()).pending).toBe(0));
    expect(bus.status().reconnects).toBeGreaterThan(0);
  });

  it('says so in its status, and commits go on', async () => {
    startRelay({ bus, outbox: owner.store.outbox });
    expect(bus.status()).toMatchObject({ connected: true });
    await broker.kill();
    await until(() => expect(bus.status().connected).toBe(false));
    await owner.change('a', { value: 1 });
    bus.publishProgress('millrace.progress.run.step', { percent: 5 });
    await expect(bus.publishInference('millrace.inference.e', Buffer.from('x'))).rejects.toMatchObject({
      code: 'unavailable',
    });
    await broker.start();
    await until(() => expect(bus.status().connected).toBe(true));
    await until(async () => expect((await owner.store.outbox.stats()).pending).toBe(0));
  });

  it('lets a worker finish what it had under way, once', async () => {
    const finish = Promise.withResolvers<void>();
    let starts = 0;
    work(bus, {
      name: 'faults-worker',
      subject: 'millrace.step.testing.>',
      codec: payloadCodec,
      concurrency: 2,
      ackWaitMs: 400,
      checkMs: 200,
      handle: async () => {
        starts += 1;
        await finish.promise;
        return { kind: 'done' };
      },
    });
    await bus.internals.js.publish('millrace.step.testing.train', '{"value":1}');
    await until(() => expect(starts).toBe(1));
    await broker.kill();
    await broker.start();
    await until(() => expect(bus.status().reconnects).toBe(1));
    finish.resolve();
    await until(async () => expect((await bus.internals.jsm.streams.info('STEPS')).state.messages).toBe(0));
    expect(starts).toBe(1);
  });
});

describe('when the broker has lost', () => {
  it('its whole store, all events are published again and new ones arrive', async () => {
    startRelay({ bus, outbox: owner.store.outbox });
    const seen = recorder();
    consume(seen);
    await owner.change('a', { value: 1 }, { value: 2 });
    await until(() => expect(seen.values('a')).toEqual([1, 2]));
    await broker.kill();
    await rm(join(broker.storeDir, 'jetstream'), { recursive: true });
    await owner.change('a', { value: 3 });
    await broker.start();
    await owner.change('a', { value: 4 });
    await until(() => expect(seen.values('a')).toEqual([1, 2, 3, 4]));
    await until(async () => {
      const late = await testStore();
      const lateSeen = recorder();
      const running = consumeEvents(bus, {
        name: 'late',
        inbox: late.store.inbox,
        subscriptions: lateSeen.subscriptions,
      });
      await until(() => expect(lateSeen.values('a')).toEqual([1, 2, 3, 4]));
      await running.stop();
      await late.close();
    });
  });

  it('the stream of events, it is made again underneath the consumer', async () => {
    const seen = recorder();
    consume(seen);
    await publishStored(bus, storedEvent('a', 1));
    await until(() => expect(seen.sequences('a')).toEqual([1]));
    await bus.internals.jsm.streams.delete('EVENTS');
    await until(async () => void (await publishStored(bus, storedEvent('a', 2))));
    await until(() => expect(seen.sequences('a')).toEqual([1, 2]));
  });

  it('the consumer, it is made again', async () => {
    const seen = recorder();
    consume(seen);
    await publishStored(bus, storedEvent('a', 1));
    await until(() => expect(seen.sequences('a')).toEqual([1]));
    await bus.internals.jsm.consumers.delete('EVENTS', 'faults');
    await publishStored(bus, storedEvent('a', 2));
    await until(() => expect(seen.sequences('a')).toEqual([1, 2]));
  });

  it('the end of the stream, a consumer that believes to be beyond it is made again', async () => {
    const { jsm } = bus.internals;
    // Stands for a stream that fell back: the consumer was told that the stream begins at a high number.
    await jsm.streams.delete('EVENTS');
    await jsm.streams.add({ name: 'EVENTS', subjects: ['millrace.evt.>'], first_seq: 1_000 });
    const seen = recorder();
    const first = consume(seen);
    await publishStored(bus, storedEvent('a', 1));
    await until(() => expect(seen.sequences('a')).toEqual([1]));
    await until(async () =>
      expect((await jsm.consumers.info('EVENTS', 'faults')).ack_floor.stream_seq).toBe(1_000),
    );
    const { ensureConsumer, isAheadOfStream } = await import('../src/topology.ts');
    const stale = await jsm.consumers.info('EVENTS', 'faults');
    await first.stop();
    await jsm.streams.delete('EVENTS');
    await bus.internals.ensureStreams();
    expect(await isAheadOfStream(jsm, 'EVENTS', stale)).toBe(true);
    const fresh = await ensureConsumer(jsm, 'EVENTS', { durable_name: 'faults', ack_policy: 'explicit' });
    expect(await isAheadOfStream(jsm, 'EVENTS', fresh)).toBe(false);
  });
});

describe('an event that never comes', () => {
  it('is fetched from its owner although no other of its entity follows', async () => {
    const seen = recorder();
    serveRefill({ bus, outbox: owner.store.outbox });
    const relay = startRelay({ bus, outbox: owner.store.outbox });
    await owner.change('last', { value: 1 });
    await until(async () => expect((await owner.store.outbox.stats()).pending).toBe(0));
    await relay.stop();
    await bus.internals.jsm.streams.purge('EVENTS');
    consume(seen, { reconcileMs: 300 });
    await until(() => expect(seen.values('last')).toEqual([1]));
  });
});

describe('when the broker falls back to what it had synced', () => {
  it('the commands of the lost end are published again with its events', async () => {
    const older = await mkdtemp(join(tmpdir(), 'millrace-older-'));
    const jetstream = join(broker.storeDir, 'jetstream');
    const commands = owner.store.collection<{ readonly sent: boolean }>({ name: 'commands' });
    const sent = () => until(async () => expect((await owner.store.outbox.stats()).pending).toBe(0));
    const connected = (reconnects: number) =>
      until(() => expect(bus.status()).toMatchObject({ connected: true, reconnects }));
    startRelay({ bus, outbox: owner.store.outbox });
    await owner.change('a', { value: 1 });
    await sent();
    await broker.kill();
    await cp(jetstream, older, { recursive: true });
    await broker.start();
    await connected(1);
    await owner.change('a', { value: 2 });
    const command = {
      subject: 'millrace.step.testing.train',
      type: 'train',
      key: 'run-1',
      data: { value: 1 },
    };
    await commands.insert('run-1', { sent: true }, [command]);
    await sent();
    await broker.kill();
    await rm(jetstream, { recursive: true });
    await cp(older, jetstream, { recursive: true });
    await broker.start();
    await connected(2);
    const { jsm } = bus.internals;
    await until(async () => expect((await jsm.streams.info('STEPS')).state.messages).toBe(1));
    expect((await jsm.streams.info('EVENTS')).state.messages).toBe(2);
    await rm(older, { recursive: true });
  });
});

describe('the relay', () => {
  it('publishes again after a crash between publish and mark, and the consumer sees each event once', async () => {
    await owner.change('a', { value: 1 }, { value: 2 });
    let crash = true;
    const { outbox } = owner.store;
    const crashing: OutboxPort = {
      pending: (limit) => outbox.pending(limit),
      markSent: async (positions) => {
        if (crash) throw new Error('the process ends here');
        await outbox.markSent(positions);
      },
      onCommit: (listener) => outbox.onCommit(listener),
      history: (entity, after, upTo) => outbox.history(entity, after, upTo),
      sentSince: (time, after, limit) => outbox.sentSince(time, after, limit),
    };
    const relay = startRelay({ bus, outbox: crashing });
    const lastSequence = async () => (await bus.internals.jsm.streams.info('EVENTS')).state.last_seq;
    await until(async () => expect(await lastSequence()).toBe(2));
    await relay.stop();
    expect((await outbox.stats()).pending).toBe(2);

    crash = false;
    startRelay({ bus, outbox: crashing });
    const seen = recorder();
    consume(seen);
    await owner.change('a', { value: 3 });
    await until(() => expect(seen.values('a')).toEqual([1, 2, 3]));
    expect(await lastSequence()).toBe(3);
  });

  it('publishes nothing twice that was published before the server forgot it', async () => {
    const anHourAgo = () => new Date(Date.now() - 3_600_000);
    const { store, change, close } = await testStore(undefined, anHourAgo);
    await change('a', { value: 1 }, { value: 2 });
    await change('b', { value: 1 });
    for (const message of await store.outbox.pending(10)) await publishStored(bus, message);
    await forgetMessageIds();
    startRelay({ bus, outbox: store.outbox });
    await change('a', { value: 3 });
    await until(async () => expect((await store.outbox.stats()).pending).toBe(0));
    expect((await bus.internals.jsm.streams.info('EVENTS')).state.messages).toBe(4);
    await close();
  });

  it('publishes nothing twice when the last event of the stream is not the last one sent', async () => {
    const { outbox } = owner.store;
    for (const key of ['a', 'b', 'c']) await owner.change(key, { value: 1 });
    const [a, b, c] = await outbox.pending(10);
    for (const message of [a, c, b]) if (message !== undefined) await publishStored(bus, message);
    await outbox.markSent([a, b, c].map((message) => message?.position ?? 0));
    await forgetMessageIds();
    expect(await rebuildIfLost({ bus, outbox })).toBe(0);
    expect((await bus.internals.jsm.streams.info('EVENTS')).state.messages).toBe(3);
  });

  it('keeps the order of an entity in the stream although publishing fails now and then', async () => {
    const { js } = bus.internals;
    const publish = js.publish.bind(js);
    let calls = 0;
    js.publish = async (...args) => {
      calls += 1;
      // Every seventh never reaches the broker; every eleventh does, but its ack gets lost.
      if (calls % 7 === 0) throw new Error('lost on the way');
      const ack = await publish(...args);
      if (calls % 11 === 0) throw new Error('ack lost');
      return ack;
    };
    for (const value of upTo(20)) for (const key of ['a', 'b', 'c']) await owner.change(key, { value });
    startRelay({ bus, outbox: owner.store.outbox, batchSize: 16 });
    await until(async () => expect((await owner.store.outbox.stats()).pending).toBe(0));
    js.publish = publish;
    const inStream: Record<string, number[]> = {};
    const reading = new AbortController();
    for await (const event of bus.readEvents({ since: 'all', signal: reading.signal })) {
      inStream[event.key] = [...(inStream[event.key] ?? []), event.sequence];
      if (Object.values(inStream).flat().length === 60) reading.abort();
    }
    expect(inStream).toEqual({ a: upTo(20), b: upTo(20), c: upTo(20) });
  });

  it('buries a message that no broker takes for its size, and goes on', async () => {
    startRelay({ bus, outbox: owner.store.outbox });
    await owner.change('a', { value: 1, name: 'x'.repeat(9 * 1024 * 1024) });
    await owner.change('a', { value: 2 });
    serveRefill({ bus, outbox: owner.store.outbox });
    const seen = recorder();
    consume(seen);
    await until(() => expect(seen.values('a')).toEqual([2]));
    await until(async () => expect(await consumerStore.store.inbox.position('faults', thing('a'))).toBe(2));
    const { listDeadLetters } = await import('../src/index.ts');
    const letters = await listDeadLetters(bus, { consumer: 'relay-testing' });
    expect(letters).toMatchObject([{ subject: changed.subject, truncated: true }]);
  });

  it('finds at its start what the broker lost while nobody looked', async () => {
    const relay = startRelay({ bus, outbox: owner.store.outbox });
    const name = randomUUID();
    await owner.change(name, { value: 1 }, { value: 2 });
    await until(async () => expect((await owner.store.outbox.stats()).pending).toBe(0));
    await relay.stop();
    await bus.internals.jsm.streams.delete('EVENTS');
    startRelay({ bus, outbox: owner.store.outbox });
    const seen = recorder();
    consume(seen);
    await until(() => expect(seen.values(name)).toEqual([1, 2]));
  });
});
