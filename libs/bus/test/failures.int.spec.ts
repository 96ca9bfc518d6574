import { type TestBroker, testBroker } from '@millrace/broker';
import { Conflict, Invalid, Unavailable } from '@millrace/errors';
import { headers } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Bus,
  consumeEvents,
  listDeadLetters,
  type Outcome,
  replayDeadLetter,
  showDeadLetter,
} from '../src/index.ts';
import { publishStored } from '../src/publish-stored.ts';
import { changed, eventTest, recorder, storedEvent, type TestStore, thing, until } from './fixture.ts';

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
  ({ bus, owner, name, key } = await eventTest(broker.url, 'failures'));
});
afterEach(async () => {
  await bus.drain();
  await owner.close();
});

const consume = (seen: ReturnType<typeof recorder>, more: object = {}) =>
  consumeEvents(bus, { name, inbox: owner.store.inbox, subscriptions: seen.subscriptions, ...more });

const deadLetters = () => listDeadLetters(bus, { consumer: name });

const outcomes: Record<string, () => Outcome | Promise<Outcome>> = {
  'is rejected': () => ({ kind: 'reject', reason: 'no good' }),
  'throws on its input': () => {
    throw Invalid.field('value', 'no good');
  },
};

describe('a poison message', () => {
  it.each(Object.keys(outcomes))(
    'goes to the dead letters when it %s, and the rest flows on',
    async (how) => {
      const seen = recorder((event) =>
        event.key === key && event.sequence === 2
          ? (outcomes[how]?.() ?? { kind: 'done' })
          : { kind: 'done' },
      );
      consume(seen);
      for (const sequence of [1, 2, 3]) await publishStored(bus, storedEvent(key, sequence));
      await publishStored(bus, storedEvent(`${key}-other`, 1));

      await until(() => expect(seen.sequences(key)).toEqual([1, 3]));
      await until(() => expect(seen.sequences(`${key}-other`)).toEqual([1]));
      const [letter, ...others] = await deadLetters();
      expect(others).toEqual([]);
      expect(letter).toMatchObject({
        consumer: name,
        subject: changed.subject,
        attempts: 1,
        truncated: false,
      });
      expect(letter?.reason).toContain('no good');
      expect(letter?.history).toHaveLength(1);
      expect(letter?.headers['ce-subject']).toBe(key);
      expect(JSON.parse(letter?.body ?? '')).toEqual({ value: 2, name: '' });
    },
  );

  it.each([
    ['text', 'not json'],
    ['an array', '[1]'],
    ['the wrong shape', '{"value":"seven"}'],
  ])('goes to the dead letters when its body is %s', async (_what, body) => {
    const seen = recorder();
    consume(seen);
    const message = storedEvent(key, 1);
    const { headersFromRecord, headersOf } = await import('../src/cloud-events.ts');
    await bus.internals.js.publish(message.subject, body, {
      headers: headersFromRecord(headersOf(message, 'testing')),
    });
    await publishStored(bus, storedEvent(key, 2));
    await until(() => expect(seen.sequences(key)).toEqual([2]));
    expect(await deadLetters()).toMatchObject([{ body, attempts: 1 }]);
  });

  it.each([
    ['of another type than its subject', { type: 'millrace.registry.alias.moved.v1' }],
    ['of an entity of another service', { entity: 'registry.alias/flights/production' }],
  ])('is one that says it is %s, whoever published it', async (_what, pretence) => {
    const seen = recorder();
    consume(seen);
    await publishStored(bus, storedEvent(key, 1, pretence));
    await publishStored(bus, storedEvent(key, 1));
    await until(async () =>
      expect(await deadLetters()).toMatchObject([{ reason: expect.stringContaining('does not belong') }]),
    );
    await until(() => expect(seen.sequences(key)).toEqual([1]));
  });

  it('goes to the dead letters when it has no headers of an event', async () => {
    const seen = recorder();
    consume(seen);
    const stray = headers();
    stray.set('ce-id', '1');
    await bus.internals.js.publish(changed.subject, '{}', { headers: stray });
    await publishStored(bus, storedEvent(key, 1));
    await until(() => expect(seen.sequences(key)).toEqual([1]));
    await until(async () => expect(await deadLetters()).toHaveLength(1));
    const [letter] = await deadLetters();
    expect(letter?.reason).toContain('is missing');
  });

  it('is tried so often as allowed, with all failures in its history', async () => {
    const seen = recorder((event) => {
      if (event.key === key) throw new Conflict('somebody was faster');
      return { kind: 'done' };
    });
    consume(seen, { maxAttempts: 3 });
    await publishStored(bus, storedEvent(key, 1));
    await until(async () => expect(await deadLetters()).toHaveLength(1));
    const [letter] = await deadLetters();
    expect(letter?.attempts).toBe(3);
    expect(letter?.history.map(({ reason }) => reason)).toEqual(
      Array(3).fill('conflict: somebody was faster'),
    );
    await until(async () => expect(await owner.store.inbox.position(name, thing(key))).toBe(1));
  });
});

describe('a failure that passes', () => {
  it('is retried before the entity goes on', async () => {
    let failures = 2;
    const seen = recorder((event) => {
      if (event.key === key && event.sequence === 1 && failures-- > 0) throw new Error('not yet');
      return { kind: 'done' };
    });
    consume(seen);
    for (const sequence of [1, 2]) await publishStored(bus, storedEvent(key, sequence));
    await until(() => expect(seen.sequences(key)).toEqual([1, 2]));
    expect(await deadLetters()).toEqual([]);
  });

  it('burns no attempts while a dependency is down, and holds up no other entity', async () => {
    let down = true;
    let attempts = 0;
    const seen = recorder((event) => {
      if (event.key !== key || !down) return { kind: 'done' };
      attempts += 1;
      throw new Unavailable('the database is away');
    });
    consume(seen, { maxAttempts: 2, ackWaitMs: 300 });
    await publishStored(bus, storedEvent(key, 1));
    await until(() => expect(attempts).toBeGreaterThan(3));
    await publishStored(bus, storedEvent(`${key}-other`, 1));
    await until(() => expect(seen.sequences(`${key}-other`)).toEqual([1]));
    down = false;
    await until(() => expect(seen.sequences(key)).toEqual([1]));
    expect(await deadLetters()).toEqual([]);
  });

  it('does not deliver again what a handler still works on', async () => {
    const finish = Promise.withResolvers<void>();
    let starts = 0;
    const seen = recorder(async (event) => {
      if (event.key !== key) return { kind: 'done' };
      starts += 1;
      await finish.promise;
      return { kind: 'done' };
    });
    consume(seen, { ackWaitMs: 200 });
    await publishStored(bus, storedEvent(key, 1));
    await until(() => expect(starts).toBe(1));
    const { jsm } = bus.internals;
    const born = performance.now();
    await until(() => expect(performance.now() - born).toBeGreaterThan(1_000));
    expect((await jsm.consumers.info('EVENTS', name)).num_redelivered).toBe(0);
    finish.resolve();
    await until(() => expect(seen.sequences(key)).toEqual([1]));
    expect(starts).toBe(1);
  });
});

describe('a dead letter', () => {
  const poisoned = async (heal: () => boolean) => {
    const seen = recorder((event) =>
      event.key === key && event.sequence === 1 && !heal()
        ? { kind: 'reject', reason: 'no good' }
        : { kind: 'done' },
    );
    consume(seen);
    for (const sequence of [1, 2]) await publishStored(bus, storedEvent(key, sequence));
    await until(async () => expect(await deadLetters()).toHaveLength(1));
    const [letter] = await deadLetters();
    return { seen, sequence: letter?.sequence ?? 0 };
  };

  it('is handled when replayed, by the consumer that failed and only once', async () => {
    let healed = false;
    const { seen, sequence } = await poisoned(() => healed);
    const other = recorder();
    consumeEvents(bus, {
      name: `${name}-other`,
      inbox: owner.store.inbox,
      subscriptions: other.subscriptions,
    });
    await until(() => expect(other.sequences(key)).toEqual([1, 2]));

    healed = true;
    const replayed = await replayDeadLetter(bus, sequence);
    expect(replayed.replayedAt).toBeDefined();
    await until(() => expect(seen.sequences(key)).toEqual([2, 1]));
    expect(await replayDeadLetter(bus, sequence)).toEqual(replayed);
    expect(await showDeadLetter(bus, sequence)).toEqual(replayed);

    await publishStored(bus, storedEvent(key, 3));
    await until(() => expect(seen.sequences(key)).toEqual([2, 1, 3]));
    await until(() => expect(other.sequences(key)).toEqual([1, 2, 3]));
  });

  it('becomes another dead letter when the replay fails as well', async () => {
    const { sequence } = await poisoned(() => false);
    await replayDeadLetter(bus, sequence);
    await until(async () => expect(await deadLetters()).toHaveLength(2));
  });

  it('is replayed with effect once although its replay comes twice', async () => {
    let healed = false;
    const { seen, sequence } = await poisoned(() => healed);
    healed = true;
    const { headersFromRecord, headersOf, replayHeader } = await import('../src/cloud-events.ts');
    const letter = await showDeadLetter(bus, sequence);
    for (let i = 0; i < 2; i += 1) {
      const again = headersFromRecord(headersOf(storedEvent(key, 1), 'testing'));
      again.set(replayHeader, name);
      await bus.internals.js.publish(letter.subject, letter.body, { headers: again });
      await until(() => expect(seen.sequences(key)).toEqual([2, 1]));
    }
    await until(() => expect(bus.status().inFlight).toBe(0));
    expect(seen.sequences(key)).toEqual([2, 1]);
  });

  it('that does not exist is not found', async () => {
    await expect(showDeadLetter(bus, 999_999)).rejects.toMatchObject({ code: 'not_found' });
    await expect(replayDeadLetter(bus, 999_999)).rejects.toMatchObject({ code: 'not_found' });
  });
});
