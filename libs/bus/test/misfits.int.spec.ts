import { type TestBroker, testBroker } from '@millrace/broker';
import { entityId, strictCodec } from '@millrace/contracts';
import { type AliasMoved, registryEvents } from '@millrace/contracts/registry';
import { StepCommand } from '@millrace/contracts/step';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { headersFromRecord, headersOf } from '../src/cloud-events.ts';
import { type Bus, consumeEvents, listDeadLetters, work } from '../src/index.ts';
import { type Event, subscription } from '../src/port.ts';
import { eventTest, storedEvent, type TestStore, until } from './fixture.ts';

const { aliasMoved } = registryEvents;

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
  ({ bus, owner, name, key } = await eventTest(broker.url, 'misfits'));
});
afterEach(async () => {
  await bus.drain();
  await owner.close();
});

const consume = (): readonly Event<AliasMoved>[] => {
  const seen: Event<AliasMoved>[] = [];
  const handle = subscription(aliasMoved, async (event) => {
    if (event.key === key) seen.push(event);
    return { kind: 'done' };
  });
  consumeEvents(bus, { name, inbox: owner.store.inbox, subscriptions: [handle] });
  return seen;
};

const publish = async (sequence: number, body: object): Promise<void> => {
  const { subject, type } = aliasMoved;
  const message = storedEvent(key, sequence, { subject, type, entity: entityId(aliasMoved, key) });
  await bus.internals.js.publish(subject, JSON.stringify(body), {
    headers: headersFromRecord(headersOf(message, 'registry')),
  });
};

describe('an event that does not fit its message', () => {
  it.each([
    ['a field of another type', { move: { toVersion: 'three' } }, 'move.toVersion'],
    ['a number out of range', { move: { toVersion: 2 ** 31 } }, 'move.toVersion'],
    ['a text where a message belongs', { move: 'production' }, 'move'],
    ['an object where a text belongs', { modelDigest: {} }, 'modelDigest'],
    ['no time', { move: { at: 'today' } }, 'move.at'],
  ])('with %s goes to the dead letters at once, and the path is named', async (_what, body, path) => {
    const seen = consume();
    await publish(1, body);
    await publish(2, { move: { model: 'flights', toVersion: 2 } });
    await until(() => expect(seen.map(({ sequence }) => sequence)).toEqual([2]));
    const [letter, ...others] = await listDeadLetters(bus, { consumer: name });
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ attempts: 1, body: JSON.stringify(body) });
    expect(letter?.reason).toContain(`the body does not fit its type: ${path}: `);
  });

  it('is not one with fields of a newer release, or without optional ones', async () => {
    const seen = consume();
    await publish(1, { move: { model: 'flights', toVersion: '3', reasonCode: 7 }, priority: ['high'] });
    await publish(2, {});
    await until(() => expect(seen.map(({ sequence }) => sequence)).toEqual([1, 2]));
    expect(seen[0]?.data.move).toMatchObject({ model: 'flights', toVersion: 3, fromVersion: 0 });
    expect(await listDeadLetters(bus, { consumer: name })).toEqual([]);
  });
});

it('a command that does not fit goes to the dead letters at once, and the path is named', async () => {
  const subject = `millrace.step.testing.${key}`;
  const taken: StepCommand[] = [];
  work(bus, {
    name,
    subject,
    codec: strictCodec(StepCommand, 'millrace.step.v1.StepCommand'),
    concurrency: 1,
    handle: async (command) => {
      taken.push(command);
      return { kind: 'done' };
    },
  });
  for (const body of [{ recipe: { seed: 'random' } }, { step: 'train', recipe: { seed: '7' } }]) {
    const message = storedEvent(key, 1, { subject, type: 'millrace.step.testing.v1' });
    await bus.internals.js.publish(subject, JSON.stringify(body), {
      headers: headersFromRecord(headersOf(message, 'pipeline')),
    });
  }
  await until(() => expect(taken).toMatchObject([{ step: 'train', recipe: { seed: 7 } }]));
  const [letter] = await listDeadLetters(bus, { consumer: name });
  expect(letter?.reason).toContain('recipe.seed: must be a whole number');
});
