import { type TestBroker, testBroker } from '@millrace/broker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bus, consumeEvents, startRelay } from '../src/index.ts';
import { recorder, type TestStore, testBus, testStore, until } from './fixture.ts';

let broker: TestBroker;
let bus: Bus;
let owner: TestStore;

beforeAll(async () => {
  broker = await testBroker();
});
afterAll(() => broker.stop());

beforeEach(async () => {
  bus = await testBus(broker.url);
  owner = await testStore();
});
afterEach(async () => {
  await bus.drain();
  await owner.close();
});

describe('the path of an event', () => {
  it('brings committed events to a consumer in the order of their entity', async () => {
    startRelay({ bus, outbox: owner.store.outbox });
    const seen = recorder();
    consumeEvents(bus, { name: 'flow-order', inbox: owner.store.inbox, subscriptions: seen.subscriptions });

    await owner.change('a', { value: 1 }, { value: 2 });
    await owner.change('b', { value: 10 });
    await owner.change('a', { value: 3 });

    await until(() => expect(seen.values('a')).toEqual([1, 2, 3]));
    await until(() => expect(seen.values('b')).toEqual([10]));
    await until(async () => expect((await owner.store.outbox.stats()).pending).toBe(0));
  });
});
