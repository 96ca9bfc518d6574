import { describe, expect, it, vi } from 'vitest';
import type { NewMessage, OutboxMessage } from '../port.ts';
import { commandOf, eventOf, expectInvalid, type OpenStore, useStore } from './fixture.ts';

const LONG_AGO = '2000-01-01T00:00:00.000Z';
const FAR_AHEAD = '2999-01-01T00:00:00.000Z';

const sequencesOf = (
  messages: readonly OutboxMessage[],
): readonly (readonly [string | undefined, number])[] =>
  messages.map(({ entity, sequence }) => [entity, sequence]);

/** A time that is later than all commits before and earlier than all after. */
const instantBetween = async (): Promise<string> => {
  const start = Date.now();
  await vi.waitUntil(() => Date.now() > start, { interval: 1 });
  const instant = Date.now();
  await vi.waitUntil(() => Date.now() > instant, { interval: 1 });
  return new Date(instant).toISOString();
};

export const describeOutbox = (open: OpenStore): void => {
  describe('outbox', () => {
    const fixture = useStore(open);
    const startRun = (key: string, count = 1): Promise<unknown> =>
      fixture.runs.insert(
        key,
        {},
        Array.from({ length: count }, (_, index) => eventOf(`training.run/${key}`, { index })),
      );
    const positions = async (): Promise<readonly number[]> =>
      (await fixture.store.outbox.pending(1000)).map(({ position }) => position);

    it('keeps the whole message', async () => {
      const message: NewMessage = {
        subject: 'millrace.evt.training.run.started.v1',
        type: 'millrace.training.run.started.v1',
        entity: 'training.run/a',
        key: 'a',
        data: { nested: [1, 'two', null], __proto__: null, text: 'ünïcode 🚂' },
        headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'x-a': 'b' },
        id: 'stable-id',
      };
      await fixture.runs.insert('a', {}, [message]);
      const [stored] = await fixture.store.outbox.pending(1);
      const { data, ...rest } = message;
      expect(stored).toEqual({
        ...rest,
        json: JSON.stringify(data),
        position: expect.any(Number),
        sequence: 1,
        time: expect.any(String),
      });
      expect(new Date(stored?.time ?? '').toISOString()).toBe(stored?.time);
    });

    it('gives every message without an id its own', async () => {
      await startRun('a', 3);
      const ids = (await fixture.store.outbox.pending(10)).map(({ id }) => id);
      expect(new Set(ids).size).toBe(3);
    });

    it('numbers events per entity, and commands not at all', async () => {
      await fixture.runs.insert('a', {}, [
        eventOf('training.run/a'),
        commandOf('c1'),
        eventOf('training.run/a'),
      ]);
      await fixture.runs.insert('b', {}, [eventOf('training.run/b')]);
      await fixture.runs.commit({
        key: 'a',
        expected: 1,
        document: {},
        messages: [eventOf('training.run/a'), eventOf('training.step/a/1')],
      });
      expect(sequencesOf(await fixture.store.outbox.pending(10))).toEqual([
        ['training.run/a', 1],
        [undefined, 0],
        ['training.run/a', 2],
        ['training.run/b', 1],
        ['training.run/a', 3],
        ['training.step/a/1', 1],
      ]);
    });

    it('gives positions that ascend in commit order', async () => {
      for (const key of ['a', 'b', 'c']) await startRun(key, 2);
      const found = await positions();
      expect(found).toHaveLength(6);
      expect(found).toEqual([...new Set(found)].toSorted((one, other) => one - other));
    });

    it('returns no more than asked for, the oldest first', async () => {
      for (const key of ['a', 'b', 'c']) await startRun(key);
      const keys = (await fixture.store.outbox.pending(2)).map(({ key }) => key);
      expect(keys).toEqual(['a', 'b']);
    });

    it('passes over those that the caller knows, and returns as many others as asked for', async () => {
      for (const key of ['a', 'b', 'c', 'd']) await startRun(key);
      const [first, , third] = await positions();
      const others = await fixture.store.outbox.pending(2, new Set([first!, third!, 999_999]));
      expect(others.map(({ key }) => key)).toEqual(['b', 'd']);
    });

    it('returns a message no more once it is marked sent, in whatever order', async () => {
      for (const key of ['a', 'b', 'c']) await startRun(key);
      const [first, second, third] = await positions();
      await fixture.store.outbox.markSent([third!, first!]);
      expect(await positions()).toEqual([second]);
      await fixture.store.outbox.markSent([third!, second!, 999_999]);
      await fixture.store.outbox.markSent([]);
      expect(await positions()).toEqual([]);
    });

    it('keeps unsent messages, sent marks, positions and sequences over a reopening', async () => {
      await startRun('a', 2);
      const [first, second] = await positions();
      await fixture.store.outbox.markSent([first!]);
      await fixture.reopen();
      expect(await positions()).toEqual([second]);
      await fixture.runs.commit({
        key: 'a',
        expected: 1,
        document: {},
        messages: [eventOf('training.run/a')],
      });
      const messages = await fixture.store.outbox.pending(10);
      expect(messages.map(({ sequence }) => sequence)).toEqual([2, 3]);
      expect(messages[1]?.position).toBeGreaterThan(second!);
    });

    it('gives the history of an entity, sent or not, between two sequences', async () => {
      await startRun('a', 5);
      await startRun('b', 5);
      await fixture.store.outbox.markSent((await positions()).slice(0, 3));
      const { outbox } = fixture.store;
      const history = async (after: number, upTo?: number): Promise<readonly number[]> =>
        (await outbox.history('training.run/a', after, upTo)).map(({ sequence }) => sequence);
      expect(await history(0)).toEqual([1, 2, 3, 4, 5]);
      expect(await history(1, 4)).toEqual([2, 3, 4]);
      expect(await history(5)).toEqual([]);
      expect(await outbox.history('training.run/none', 0)).toEqual([]);
    });

    it('gives what was sent from a time on, in commit order, page by page', async () => {
      for (const key of ['a', 'b', 'c', 'd', 'e']) await startRun(key);
      const { outbox } = fixture.store;
      const all = await positions();
      await outbox.markSent([all[0]!]);
      const between = await instantBetween();
      await outbox.markSent([all[3]!, all[1]!, all[2]!]);
      // Marked before: the first time counts.
      await outbox.markSent([all[0]!]);
      const since = async (time: string, after: number, limit: number): Promise<readonly number[]> =>
        (await outbox.sentSince(time, after, limit)).map(({ position }) => position);
      expect(await since(LONG_AGO, 0, 10)).toEqual(all.slice(0, 4));
      expect(await since(between, 0, 2)).toEqual(all.slice(1, 3));
      expect(await since(between, all[2]!, 2)).toEqual([all[3]]);
      expect(await since(FAR_AHEAD, 0, 10)).toEqual([]);
    });

    it('forgets what was sent before a time, never what is unsent', async () => {
      for (const key of ['a', 'b', 'c']) await startRun(key);
      const { outbox } = fixture.store;
      const all = await positions();
      await outbox.markSent([all[0]!]);
      const between = await instantBetween();
      await outbox.markSent([all[1]!]);
      expect(await outbox.prune(LONG_AGO)).toBe(0);
      expect(await outbox.prune(between)).toBe(1);
      expect(await outbox.history('training.run/a', 0)).toEqual([]);
      expect(await outbox.prune(FAR_AHEAD)).toBe(1);
      expect(await positions()).toEqual([all[2]]);
    });

    it('goes on counting after everything was forgotten', async () => {
      await startRun('a', 2);
      const before = await positions();
      await fixture.store.outbox.markSent(before);
      await fixture.store.outbox.prune(FAR_AHEAD);
      await fixture.reopen();
      const messages = [eventOf('training.run/a')];
      await fixture.runs.commit({ key: 'a', expected: 1, document: {}, messages });
      const [next] = await fixture.store.outbox.pending(1);
      expect(next?.sequence).toBe(3);
      expect(next?.position).toBeGreaterThan(before[1]!);
    });

    it('forgets thousands at once', async () => {
      await Promise.all(Array.from({ length: 50 }, (_, index) => startRun(`run-${index}`, 50)));
      const due = (await fixture.store.outbox.pending(10_000)).map(({ position }) => position);
      await fixture.store.outbox.markSent(due);
      expect(await fixture.store.outbox.prune(FAR_AHEAD)).toBe(2500);
    });

    it('counts what is pending and tells its age', async () => {
      const { outbox } = fixture.store;
      expect(await outbox.stats()).toEqual({ pending: 0 });
      await startRun('a', 2);
      await startRun('b');
      const [oldest] = await outbox.pending(1);
      expect(await outbox.stats()).toEqual({ pending: 3, oldestPendingTime: oldest?.time });
    });

    it('calls back after a commit with messages, when they are there to be read', async () => {
      const seen: Promise<number>[] = [];
      const { outbox } = fixture.store;
      const stop = outbox.onCommit(() => seen.push(outbox.pending(10).then(({ length }) => length)));
      await fixture.runs.insert('quiet', {});
      expect(seen).toEqual([]);
      await startRun('a');
      await vi.waitUntil(() => seen.length > 0, { timeout: 60_000 });
      expect(await seen[0]).toBe(1);
      stop();
      await startRun('b');
      expect(seen).toHaveLength(1);
    });

    it('commits although a listener throws', async () => {
      fixture.store.outbox.onCommit(() => {
        throw new Error('a defect of the listener');
      });
      await startRun('a');
      expect(await positions()).toHaveLength(1);
    });

    it('refuses a bad message by the path of its field, with everything else of the commit', async () => {
      const good = eventOf('training.run/a');
      const bad: readonly (readonly [object, string])[] = [
        [{ ...good, subject: '' }, 'messages[1].subject'],
        [{ ...good, type: undefined }, 'messages[1].type'],
        [{ ...good, key: '' }, 'messages[1].key'],
        [{ ...good, entity: '' }, 'messages[1].entity'],
        [{ ...good, data: { when: new Date() } }, 'messages[1].data.when'],
        [{ ...good, headers: { retries: 3 } }, 'messages[1].headers.retries'],
      ];
      for (const [message, path] of bad) {
        await expectInvalid(fixture.runs.insert('a', {}, [good, message as NewMessage]), path);
      }
      expect(await fixture.runs.get('a')).toBeUndefined();
      expect(await positions()).toEqual([]);
    });

    it('refuses limits and times that are none', async () => {
      const { outbox } = fixture.store;
      await expectInvalid(outbox.pending(0), 'limit');
      await expectInvalid(outbox.sentSince(LONG_AGO, 0, 10_001), 'limit');
      await expectInvalid(outbox.sentSince('yesterday', 0, 1), 'time');
      await expectInvalid(outbox.prune(''), 'time');
    });
  });
};
