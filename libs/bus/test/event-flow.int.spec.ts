import { type TestBroker, testBroker } from '@millrace/broker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Bus,
  consumeEvents,
  type Running,
  serveRefill,
  startRelay,
  subscription,
} from '../src/index.ts';
import { publishStored } from '../src/publish-stored.ts';
import {
  changed,
  eventTest,
  historyOutbox,
  recorder,
  renamed,
  storedEvent,
  type TestStore,
  thing,
  until,
} from './fixture.ts';

let broker: TestBroker;
let bus: Bus;
let owner: TestStore;
let name: string;
let key: string;

beforeAll(async () => {
  broker = await testBroker();
});
afterAll(() => broker.stop());

beforeEach(async () => {
  ({ bus, owner, name, key } = await eventTest(broker.url, 'flow'));
});
afterEach(async () => {
  await bus.drain();
  await owner.close();
});

const consume = (seen: ReturnType<typeof recorder>, more: object = {}): Running =>
  consumeEvents(bus, {
    name,
    inbox: owner.store.inbox,
    subscriptions: seen.subscriptions,
    graceMs: 30,
    ...more,
  });

describe('the path of an event', () => {
  it('brings committed events to a consumer in the order of their entity', async () => {
    startRelay({ bus, outbox: owner.store.outbox });
    const seen = recorder();
    consume(seen);

    await owner.change(key, { value: 1 }, { value: 2 });
    await owner.change(`${key}-other`, { value: 10 });
    await owner.change(key, { value: 3 });

    await until(() => expect(seen.values(key)).toEqual([1, 2, 3]));
    await until(() => expect(seen.values(`${key}-other`)).toEqual([10]));
    await until(async () => expect((await owner.store.outbox.stats()).pending).toBe(0));
  });

  it('carries the attributes of CloudEvents, also where a header cannot hold them as they are', async () => {
    startRelay({ bus, outbox: owner.store.outbox });
    const seen = recorder();
    consume(seen);
    const strange = `${key}/naïve "model" 100 % →`;

    await owner.change(strange, { value: 1 });

    await until(() => expect(seen.events).toHaveLength(1));
    const [event] = seen.events;
    expect(event).toMatchObject({ key: strange, entity: thing(strange), sequence: 1, type: changed.type });
    expect(event?.headers).toMatchObject({
      'ce-specversion': '1.0',
      'ce-source': '/millrace/testing',
      'content-type': 'application/json',
    });
    expect(event?.headers['ce-id']).toBe(event?.id);
  });

  it('takes what was published before the consumer first existed', async () => {
    await publishStored(bus, storedEvent(key, 1));
    const seen = recorder();
    consume(seen);
    await until(() => expect(seen.values(key)).toEqual([1]));
  });

  it('handles an event once however often it comes', async () => {
    const seen = recorder();
    consume(seen);
    for (const sequence of [1, 1, 2, 1, 2, 3, 3]) await publishStored(bus, storedEvent(key, sequence));
    await until(() => expect(seen.sequences(key)).toEqual([1, 2, 3]));
    await until(() => expect(bus.status().inFlight).toBe(0));
    expect(seen.sequences(key)).toEqual([1, 2, 3]);
  });

  it('puts events that come out of order back into it without asking their owner', async () => {
    const seen = recorder();
    consume(seen, { graceMs: 20_000 });
    for (const sequence of [3, 5, 2, 4, 1]) await publishStored(bus, storedEvent(key, sequence));
    await until(() => expect(seen.sequences(key)).toEqual([1, 2, 3, 4, 5]));
  });

  it('counts an event without handler as passed', async () => {
    const seen = recorder();
    consume(seen);
    await publishStored(bus, storedEvent(key, 1));
    await publishStored(bus, storedEvent(key, 2, { type: renamed.type, subject: renamed.subject }));
    await publishStored(bus, storedEvent(key, 3));
    await until(() => expect(seen.sequences(key)).toEqual([1, 3]));
    // The position follows the handler's answer.
    await until(async () => expect(await owner.store.inbox.position(name, thing(key))).toBe(3));
  });

  it('acknowledges an event that its handler ignores, and records that later, at the latest when it stops', async () => {
    const seen = recorder((event) =>
      event.sequence === 2 ? { kind: 'ignored', reason: 'nobody wants it' } : { kind: 'done' },
    );
    const consumer = consume(seen);
    for (const sequence of [1, 2]) await publishStored(bus, storedEvent(key, sequence));
    await until(() => expect(seen.sequences(key)).toEqual([1]));
    await until(() => expect(bus.status().inFlight).toBe(0));
    await consumer.stop();
    expect(await owner.store.inbox.position(name, thing(key))).toBe(2);
  });

  it('gives each handler the events of its own type', async () => {
    const got: string[] = [];
    consumeEvents(bus, {
      name,
      inbox: owner.store.inbox,
      subscriptions: [changed, renamed].map((definition) =>
        subscription(definition, async (event) => {
          if (event.key === key) got.push(event.type);
          return { kind: 'done' };
        }),
      ),
    });
    await publishStored(bus, storedEvent(key, 1, { type: renamed.type, subject: renamed.subject }));
    await publishStored(bus, storedEvent(key, 2));
    await until(() => expect(got).toEqual([renamed.type, changed.type]));
  });
});

describe('a lost event', () => {
  it('is fetched from its owner and handled in its place', async () => {
    const events = [1, 2, 3, 4, 5].map((sequence) => storedEvent(key, sequence));
    serveRefill({ bus, outbox: historyOutbox(events) });
    const seen = recorder();
    consume(seen);
    await publishStored(bus, storedEvent(key, 2));
    await publishStored(bus, storedEvent(key, 5));
    await until(() => expect(seen.sequences(key)).toEqual([1, 2, 3, 4, 5]));
  });

  it('is fetched in as many pages as it takes', async () => {
    const name = 'x'.repeat(30_000);
    const events = Array.from({ length: 600 }, (_, i) =>
      storedEvent(key, i + 1, { json: JSON.stringify({ value: i + 1, name }) }),
    );
    serveRefill({ bus, outbox: historyOutbox(events) });
    const seen = recorder();
    consume(seen);
    await publishStored(bus, storedEvent(key, 601));
    await until(() => expect(seen.sequences(key)).toHaveLength(601));
    expect(seen.sequences(key)).toEqual(Array.from({ length: 601 }, (_, i) => i + 1));
  });

  it('is waited for while its owner is away, and others are not held up', async () => {
    const seen = recorder();
    consume(seen);
    await publishStored(bus, storedEvent(key, 2));
    await publishStored(bus, storedEvent(`${key}-other`, 1));
    await until(() => expect(seen.sequences(`${key}-other`)).toEqual([1]));
    expect(seen.sequences(key)).toEqual([]);

    serveRefill({ bus, outbox: historyOutbox([storedEvent(key, 1)]) });
    await until(() => expect(seen.sequences(key)).toEqual([1, 2]));
  });

  it('is given up when its owner has forgotten it', async () => {
    serveRefill({ bus, outbox: historyOutbox([storedEvent(key, 4)]) });
    const seen = recorder();
    consume(seen);
    await publishStored(bus, storedEvent(key, 6));
    await until(() => expect(seen.sequences(key)).toEqual([4, 6]));
  });

  it('is refilled from the real outbox', async () => {
    await owner.change(key, { value: 1 }, { value: 2 });
    const [first, second] = await owner.store.outbox.pending(2);
    await owner.store.outbox.markSent([first?.position ?? 0, second?.position ?? 0]);
    serveRefill({ bus, outbox: owner.store.outbox });
    const seen = recorder();
    consume(seen);
    if (second !== undefined) await publishStored(bus, second);
    await until(() => expect(seen.values(key)).toEqual([1, 2]));
  });
});
