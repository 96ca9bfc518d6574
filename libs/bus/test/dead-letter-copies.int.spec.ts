import { type TestBroker, testBroker } from '@millrace/broker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus, copyDeadLetters, listDeadLetters, restoreDeadLetters } from '../src/index.ts';

let from: TestBroker;
let to: TestBroker;
const buses: Bus[] = [];

const connect = async (url: string): Promise<Bus> => {
  const bus = await connectBus({ url, service: 'operator' });
  buses.push(bus);
  return bus;
};

beforeAll(async () => {
  [from, to] = await Promise.all([testBroker(), testBroker()]);
});
afterAll(async () => {
  for (const bus of buses) await bus.drain();
  await from?.stop();
  await to?.stop();
});

const letter = (reason: string): string =>
  JSON.stringify({
    consumer: 'registry-evaluations',
    subject: 'millrace.evt.evaluation.report.made.v1',
    reason,
    attempts: 1,
    time: '2026-01-01T00:00:00.000Z',
    history: [],
    headers: { 'ce-id': reason },
    bodyBase64: Buffer.from(reason).toString('base64'),
    bodyBytes: reason.length,
  });

test('dead letters keep their numbers, also after letters that are gone, and late marks of replays are left out', async () => {
  const source = await connect(from.url);
  const { js, jsm } = source.internals;
  for (const reason of ['one', 'two', 'three', 'four', 'five', 'six']) {
    await js.publish('millrace.dead.registry-evaluations', letter(reason), { msgID: `dead-${reason}` });
  }
  await jsm.streams.purge('DEAD', { seq: 3 });
  await jsm.streams.deleteMessage('DEAD', 4);
  await js.publish('millrace.replayed.5', '', { msgID: 'replayed-5' });
  const now = new Date(Date.now() + 1_000).toISOString();
  const later = new Date(Date.now() + 7_200_000).toISOString();

  expect((await copyDeadLetters(source, now)).map(({ sequence }) => sequence)).toEqual([3, 5, 6]);
  expect(await copyDeadLetters(source, '2020-01-01T00:00:00.000Z')).toEqual([]);
  const copies = await copyDeadLetters(source, later);
  expect(copies.map(({ sequence }) => sequence)).toEqual([3, 5, 6, 7]);

  const target = await connect(to.url);
  await restoreDeadLetters(target, copies);
  const found = await listDeadLetters(target);
  expect(found.map(({ sequence, reason, body }) => ({ sequence, reason, body }))).toEqual(
    [
      [3, 'three'],
      [5, 'five'],
      [6, 'six'],
    ].map(([sequence, reason]) => ({ sequence, reason, body: reason })),
  );
  expect(found.map(({ replayedAt }) => replayedAt !== undefined)).toEqual([false, true, false]);
  const again = await target.internals.js.publish('millrace.dead.registry-evaluations', letter('six'), {
    msgID: 'dead-six',
  });
  expect(again.duplicate).toBe(true);
});
