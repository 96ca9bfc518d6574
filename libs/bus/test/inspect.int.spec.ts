import { type TestBroker, testBroker } from '@millrace/broker';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bus, consumeEvents, inspectBus, type Outcome, work } from '../src/index.ts';
import { publishStored } from '../src/publish-stored.ts';
import { payloadCodec, recorder, storedEvent, type TestStore, testBus, testStore, until } from './fixture.ts';

let broker: TestBroker;
let bus: Bus;
let consumerStore: TestStore;

beforeEach(async () => {
  broker = await testBroker();
  bus = await testBus(broker.url);
  consumerStore = await testStore();
});
afterEach(async () => {
  await bus.drain({ graceMs: 100 });
  await consumerStore.close();
  await broker.stop();
});

const consume = (answer: () => Outcome | Promise<Outcome>, more: object = {}) =>
  consumeEvents(bus, {
    name: 'inspected',
    inbox: consumerStore.store.inbox,
    subscriptions: recorder(answer).subscriptions,
    ...more,
  });

const report = async (stuckAfterMs = 0) => {
  const { consumers } = await inspectBus(bus, { stuckAfterMs });
  return consumers.find(({ name }) => name === 'inspected');
};

describe('the inspection of a bus', () => {
  it('finds every stream, and nothing wrong where all is done', async () => {
    consume(() => ({ kind: 'done' }));
    await publishStored(bus, storedEvent('a', 1));
    await until(async () =>
      expect(await report()).toMatchObject({ ackFloor: 1, pending: 0, unacknowledged: 0, stalledMs: 0 }),
    );
    const { streams, consumers, server } = await inspectBus(bus);
    expect(streams.map(({ name, problem }) => ({ name, problem }))).toEqual(
      ['EVENTS', 'STEPS', 'INFERENCE', 'SPANS', 'DEAD', 'EXHAUSTED'].map((name) => ({ name })),
    );
    expect(streams[0]).toMatchObject({
      state: { messages: 1, holes: 0 },
      replicas: { wanted: 1, current: 1 },
    });
    expect(consumers.filter(({ problem }) => problem !== undefined)).toEqual([]);
    expect(server.version).toMatch(/^\d+\.\d+/);
  });

  it('tells of a consumer whose handler does not end', async () => {
    const end = Promise.withResolvers<Outcome>();
    consume(() => end.promise);
    await publishStored(bus, storedEvent('a', 1));
    await until(async () => expect(await report()).toMatchObject({ problem: 'stuck', unacknowledged: 1 }));
    expect((await report(3_600_000))?.problem).toBeUndefined();
    end.resolve({ kind: 'done' });
    await until(async () => expect((await report())?.problem).toBeUndefined());
  });

  it('tells of a consumer that nobody reads', async () => {
    const running = consume(() => ({ kind: 'done' }));
    await until(async () => expect(await report()).toBeDefined());
    await running.stop();
    await publishStored(bus, storedEvent('a', 1));
    await until(async () => expect(await report()).toMatchObject({ problem: 'not_read', pending: 1 }));
  });

  it('tells of a consumer that is paused', async () => {
    consume(() => ({ kind: 'done' }));
    await until(async () => expect(await report()).toBeDefined());
    await bus.internals.jsm.consumers.pause('EVENTS', 'inspected', new Date(Date.now() + 60_000));
    await until(async () => expect((await report())?.problem).toBe('paused'));
  });

  it('tells of messages that the server gave up on', async () => {
    const running = consume(() => ({ kind: 'retry', reason: 'not now', unavailable: true }), {
      ackWaitMs: 100,
      maxDeliveries: 1,
    });
    await until(async () => expect(await report()).toBeDefined());
    await running.stop();
    await publishStored(bus, storedEvent('a', 1));
    const { js } = bus.internals;
    const [taken] = await Array.fromAsync(
      await (await js.consumers.get('EVENTS', 'inspected')).fetch({ max_messages: 1, expires: 1_000 }),
    );
    expect(taken?.seq).toBe(1);
    await until(async () => expect(await report()).toMatchObject({ problem: 'gave_up', givenUp: 1 }));
  });

  it('says nothing against a worker that is busy for long', async () => {
    const end = Promise.withResolvers<Outcome>();
    work(bus, {
      name: 'inspected',
      subject: 'millrace.step.testing.>',
      codec: payloadCodec,
      concurrency: 1,
      handle: () => end.promise,
    });
    await bus.internals.js.publish('millrace.step.testing.train', '{"value":1}');
    await until(async () => expect(await report()).toMatchObject({ unacknowledged: 1 }));
    expect((await report())?.problem).toBeUndefined();
    end.resolve({ kind: 'done' });
  });

  it('tells of what should be there and is not', async () => {
    await bus.internals.jsm.streams.delete('INFERENCE');
    const { streams, consumers } = await inspectBus(bus, {
      expected: [{ stream: 'EVENTS', name: 'registry-audit' }],
    });
    expect(streams.filter(({ problem }) => problem !== undefined)).toEqual([
      { name: 'INFERENCE', problem: 'missing' },
    ]);
    expect(consumers).toMatchObject([{ name: 'registry-audit', problem: 'missing' }]);
  });

  it('tells of events that were lost from within their stream', async () => {
    for (const sequence of [1, 2, 3]) await publishStored(bus, storedEvent('a', sequence));
    await bus.internals.jsm.streams.deleteMessage('EVENTS', 2);
    const { streams } = await inspectBus(bus);
    expect(streams[0]).toMatchObject({ problem: 'lost_messages', state: { holes: 1, messages: 2 } });
  });
});
