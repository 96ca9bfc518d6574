import { ErrorCode } from '@millrace/errors';
import { describe, expect, it } from 'vitest';
import type { InboxPosition } from '../port.ts';
import { eventOf, expectError, expectInvalid, type OpenStore, useStore } from './fixture.ts';

const entity = 'ingest.dataset/flights';
const handledAt = (sequence: number): InboxPosition => ({ consumer: 'training-datasets', entity, sequence });

export const describeInbox = (open: OpenStore): void => {
  describe('inbox', () => {
    const fixture = useStore(open);
    const position = (): Promise<number> => fixture.store.inbox.position('training-datasets', entity);

    it('starts at 0, and only goes up', async () => {
      expect(await position()).toBe(0);
      await fixture.store.inbox.advance(handledAt(3));
      await fixture.store.inbox.advance(handledAt(2));
      expect(await position()).toBe(3);
    });

    it('records soon what is true by then, durably', async () => {
      let reached = 1;
      const recorded = fixture.store.inbox.advanceSoon(() => [handledAt(reached)], 20);
      reached = 2;
      await recorded;
      expect(await position()).toBe(2);
      await fixture.store.inbox.advanceSoon(() => [handledAt(1)], 0);
      await fixture.store.inbox.advanceSoon(() => [], 0);
      await fixture.reopen();
      expect(await position()).toBe(2);
    });

    it('keeps consumers and entities apart', async () => {
      await fixture.store.inbox.advance(handledAt(3));
      expect(await fixture.store.inbox.position('another', entity)).toBe(0);
      expect(await fixture.store.inbox.position('training-datasets', 'ingest.dataset/trains')).toBe(0);
    });

    it('answers each of many who ask at once, and knows what was recorded before the question', async () => {
      const { inbox } = fixture.store;
      const entities = Array.from({ length: 600 }, (_, n) => `ingest.dataset/${n}`);
      const advance = (n: number) =>
        inbox.advance({ consumer: 'training-datasets', entity: entities[n] ?? '', sequence: n });
      await Promise.all([1, 17, 599].map(advance));
      const ask = () => Promise.all(entities.map((each) => inbox.position('training-datasets', each)));
      const first = ask();
      await advance(18);
      const second = ask();
      const expected = (handled: readonly number[]) => entities.map((_, n) => (handled.includes(n) ? n : 0));
      expect((await first).with(18, 0)).toEqual(expected([1, 17, 599]));
      expect(await second).toEqual(expected([1, 17, 18, 599]));
    });

    it('records the position with the change, durably', async () => {
      await fixture.runs.commit({ key: 'a', expected: 0, document: {}, handled: handledAt(1) });
      await fixture.reopen();
      expect(await position()).toBe(1);
      expect((await fixture.runs.get('a'))?.version).toBe(1);
    });

    it('changes nothing for an event that was handled before', async () => {
      const change = { key: 'a', document: { state: 'made' }, messages: [eventOf('training.run/a')] };
      await fixture.runs.commit({ ...change, expected: 0, handled: handledAt(2) });
      for (const sequence of [1, 2]) {
        const repeated = await fixture.runs.commit({
          ...change,
          expected: 0,
          document: { state: 'again' },
          handled: handledAt(sequence),
        });
        expect(repeated).toEqual({ status: 'already_handled' });
      }
      expect(await fixture.runs.get('a')).toMatchObject({ version: 1, document: { state: 'made' } });
      expect(await fixture.store.outbox.pending(10)).toHaveLength(1);
      expect(await position()).toBe(2);
    });

    it('lets one of two concurrent deliveries of an event take effect', async () => {
      const results = await Promise.all(
        ['a', 'b'].map((key) =>
          fixture.runs.commit({ key: 'same', expected: 0, document: { note: key }, handled: handledAt(1) }),
        ),
      );
      expect(results.map(({ status }) => status).toSorted()).toEqual(['already_handled', 'committed']);
    });

    it('does not record the position of a change that fails', async () => {
      await fixture.runs.insert('a', {});
      const change = { key: 'a', document: {}, handled: handledAt(1) };
      await expectError(fixture.runs.commit({ ...change, expected: 7 }), ErrorCode.conflict);
      expect(await position()).toBe(0);
      await fixture.runs.commit({ ...change, expected: 1 });
      expect(await position()).toBe(1);
    });

    it('records the position with a deletion', async () => {
      await fixture.runs.insert('a', {});
      await fixture.runs.commit({ key: 'a', expected: 1, document: null, handled: handledAt(1) });
      expect(await position()).toBe(1);
    });

    it('updates once per event', async () => {
      const count = (sequence: number): Promise<unknown> =>
        fixture.runs.update(
          'a',
          (current) => ({ document: { score: Number(current?.document.score ?? 0) + 1 } }),
          { handled: handledAt(sequence) },
        );
      await count(1);
      await Promise.all([count(2), count(2), count(1)]);
      expect((await fixture.runs.get('a'))?.document.score).toBe(2);
      expect(await position()).toBe(2);
    });

    it('records the position of an update that decides to change nothing', async () => {
      await fixture.runs.update('a', () => undefined, { handled: handledAt(1) });
      expect(await position()).toBe(1);
      expect(await fixture.runs.get('a')).toBeUndefined();
    });

    it('does not record the position of an update whose decision throws', async () => {
      const update = fixture.runs.update(
        'a',
        () => {
          throw new RangeError('no');
        },
        { handled: handledAt(1) },
      );
      await expect(update).rejects.toThrow(RangeError);
      expect(await position()).toBe(0);
    });

    it('refuses a position that is none', async () => {
      await expectInvalid(fixture.store.inbox.advance(handledAt(0)), 'position.sequence');
      await expectInvalid(
        fixture.store.inbox.advance({ ...handledAt(1), consumer: '' }),
        'position.consumer',
      );
      await expectInvalid(
        fixture.runs.commit({ key: 'a', expected: 0, document: {}, handled: handledAt(1.5) }),
        'handled.sequence',
      );
    });
  });
};
