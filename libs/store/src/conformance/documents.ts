import { ErrorCode } from '@millrace/errors';
import { describe, expect, it } from 'vitest';
import { eventOf, expectError, keysOf, type OpenStore, useStore } from './fixture.ts';

export const describeDocuments = (open: OpenStore): void => {
  describe('documents', () => {
    const fixture = useStore(open);

    it('returns what was inserted, at version 1', async () => {
      const document = { state: 'running', metrics: { rmse: 0.5 }, note: [1, null, { deep: true }] };
      expect(await fixture.runs.insert('a', document)).toEqual({ key: 'a', version: 1, document });
      expect(await fixture.runs.get('a')).toEqual({ key: 'a', version: 1, document });
    });

    it('returns nothing for a key without a document', async () => {
      expect(await fixture.runs.get('nobody')).toBeUndefined();
      expect(await fixture.runs.getMany(['nobody'])).toEqual([]);
    });

    it('keeps what was committed when the caller changes its object afterwards', async () => {
      const document = { state: 'running', note: { text: 'before' } };
      const committing = fixture.runs.insert('a', document);
      document.note.text = 'after';
      await committing;
      expect((await fixture.runs.get('a'))?.document.note).toEqual({ text: 'before' });
    });

    it('counts a version per commit', async () => {
      await fixture.runs.insert('a', { state: 'queued' });
      const result = await fixture.runs.commit({ key: 'a', expected: 1, document: { state: 'running' } });
      expect(result).toEqual({
        status: 'committed',
        stored: { key: 'a', version: 2, document: { state: 'running' } },
      });
    });

    it('refuses a commit over another version than the caller read', async () => {
      await fixture.runs.insert('a', { state: 'queued' });
      await fixture.runs.commit({ key: 'a', expected: 1, document: { state: 'running' } });
      const late = fixture.runs.commit({
        key: 'a',
        expected: 1,
        document: { state: 'lost' },
        messages: [eventOf('training.run/a')],
      });
      await expectError(late, ErrorCode.conflict);
      expect((await fixture.runs.get('a'))?.document.state).toBe('running');
      expect(await fixture.store.outbox.pending(10)).toEqual([]);
    });

    it('refuses a commit over a version of a document that does not exist', async () => {
      await expectError(fixture.runs.commit({ key: 'a', expected: 1, document: {} }), ErrorCode.conflict);
      await expectError(fixture.runs.commit({ key: 'a', expected: 1, document: null }), ErrorCode.conflict);
    });

    it('refuses to insert over a document', async () => {
      await fixture.runs.insert('a', { state: 'first' });
      await expectError(fixture.runs.insert('a', { state: 'second' }), ErrorCode.conflict);
      expect((await fixture.runs.get('a'))?.document.state).toBe('first');
    });

    it('lets one of two concurrent commits over the same version win', async () => {
      await fixture.runs.insert('a', {});
      const results = await Promise.allSettled(
        ['x', 'y'].map((state) => fixture.runs.commit({ key: 'a', expected: 1, document: { state } })),
      );
      expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect((await fixture.runs.get('a'))?.version).toBe(2);
    });

    it('fails concurrent commits one by one: what is wrong with one does not touch the others', async () => {
      await fixture.runs.insert('taken', { name: 'flights' });
      const results = await Promise.allSettled([
        fixture.runs.insert('a', { state: 'ok' }, [eventOf('training.run/a')]),
        fixture.runs.insert('taken', { state: 'conflict' }, [eventOf('training.run/taken')]),
        fixture.runs.insert('b', { name: 'flights' }, [eventOf('training.run/b')]),
        fixture.runs.insert('c', { note: Number.NaN }),
        fixture.runs.update('d', () => {
          throw new TypeError('a defect of the decision');
        }),
        fixture.runs.insert('e', { state: 'ok' }, [eventOf('training.run/e')]),
      ]);
      expect(results.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'rejected',
        'rejected',
        'rejected',
        'fulfilled',
      ]);
      expect(keysOf((await fixture.runs.find()).items)).toEqual(['a', 'e', 'taken']);
      const entities = (await fixture.store.outbox.pending(10)).map(({ entity }) => entity);
      expect(entities.toSorted()).toEqual(['training.run/a', 'training.run/e']);
    });

    it('refuses a second document with a unique value, and takes it once the first gave it up', async () => {
      await fixture.runs.insert('a', { name: 'flights' });
      const error = await expectError(fixture.runs.insert('b', { name: 'flights' }), ErrorCode.conflict);
      expect(error.details).toMatchObject({ field: 'name' });
      await fixture.runs.insert('c', { name: 'trains' });
      const renamed = fixture.runs.commit({ key: 'c', expected: 1, document: { name: 'flights' } });
      await expectError(renamed, ErrorCode.conflict);
      await fixture.runs.commit({ key: 'a', expected: 1, document: { name: 'ships' } });
      await fixture.runs.insert('b', { name: 'flights' });
    });

    it('lets any number of documents lack a unique value', async () => {
      await fixture.runs.insert('a', {});
      await fixture.runs.insert('b', { name: null });
      await fixture.runs.insert('c', {});
      expect(await fixture.runs.count({ field: 'name', op: 'exists', value: false })).toBe(3);
    });

    it('gives several documents in the order of the keys, without the missing', async () => {
      for (const key of ['a', 'b', 'c']) await fixture.runs.insert(key, {});
      expect(keysOf(await fixture.runs.getMany(['c', 'x', 'a']))).toEqual(['c', 'a']);
      expect(await fixture.runs.getMany([])).toEqual([]);
    });

    it('keeps documents and versions over a reopening', async () => {
      await fixture.runs.insert('a', { state: 'queued' });
      await fixture.runs.commit({ key: 'a', expected: 1, document: { state: 'running' } });
      await fixture.reopen();
      expect(await fixture.runs.get('a')).toEqual({ key: 'a', version: 2, document: { state: 'running' } });
    });

    it('keeps collections apart', async () => {
      const models = fixture.store.collection<{ title: string }>({ name: 'models' });
      await fixture.runs.insert('a', { state: 'running' });
      await models.insert('a', { title: 'flights' });
      expect((await models.get('a'))?.document).toEqual({ title: 'flights' });
      expect(await fixture.runs.count()).toBe(1);
    });

    it('answers a ping while open, and refuses calls when closed', async () => {
      const { runs, store } = fixture;
      await store.ping();
      await store.close();
      await expectError(store.ping(), ErrorCode.unavailable);
      await expectError(runs.insert('a', {}), ErrorCode.unavailable);
    });

    it('finishes the commits under way before it closes', async () => {
      const committing = Promise.all(
        Array.from({ length: 20 }, (_, index) => fixture.runs.insert(`run-${index}`, {})),
      );
      await fixture.store.close();
      await committing;
      await fixture.reopen();
      expect(await fixture.runs.count()).toBe(20);
    });
  });

  describe('deletion', () => {
    const fixture = useStore(open);

    it('removes the document from reads and searches', async () => {
      await fixture.runs.insert('a', { state: 'running', metrics: { rmse: 1 } });
      const result = await fixture.runs.commit({ key: 'a', expected: 1, document: null });
      expect(result).toEqual({ status: 'committed', stored: undefined });
      expect(await fixture.runs.get('a')).toBeUndefined();
      expect(await fixture.runs.count()).toBe(0);
      expect(await fixture.runs.count({ field: ['metrics', 'rmse'], op: 'exists', value: true })).toBe(0);
    });

    it('lets the key be used again, and never repeats a version', async () => {
      await fixture.runs.insert('a', {});
      await fixture.runs.commit({ key: 'a', expected: 1, document: null });
      const again = await fixture.runs.insert('a', { state: 'new' });
      expect(again.version).toBeGreaterThan(1);
      await expectError(fixture.runs.commit({ key: 'a', expected: 1, document: {} }), ErrorCode.conflict);
      expect(await fixture.runs.get('a')).toEqual(again);
    });

    it('continues the numbers of the events of an entity that is made anew', async () => {
      const events = [eventOf('training.run/a')];
      await fixture.runs.insert('a', {}, events);
      await fixture.runs.commit({ key: 'a', expected: 1, document: null, messages: events });
      await fixture.reopen();
      await fixture.runs.insert('a', {}, events);
      const sequences = (await fixture.store.outbox.pending(10)).map(({ sequence }) => sequence);
      expect(sequences).toEqual([1, 2, 3]);
    });

    it('allows messages without a document', async () => {
      const messages = [eventOf('training.run/a')];
      await fixture.runs.commit({ key: 'a', expected: 0, document: null, messages });
      await fixture.runs.commit({ key: 'a', expected: 0, document: null, messages });
      expect(await fixture.runs.get('a')).toBeUndefined();
      const sequences = (await fixture.store.outbox.pending(10)).map(({ sequence }) => sequence);
      expect(sequences).toEqual([1, 2]);
    });
  });

  describe('update', () => {
    const fixture = useStore(open);

    it('makes a document where there is none', async () => {
      const stored = await fixture.runs.update('a', (current) => {
        expect(current).toBeUndefined();
        return { document: { state: 'new' } };
      });
      expect(stored).toEqual({ key: 'a', version: 1, document: { state: 'new' } });
    });

    it('writes with delayed durability what is there at once, also for who opens the store again', async () => {
      const delayed = { durability: 'delayed' } as const;
      await fixture.runs.update('a', () => ({ document: { score: 1 } }), delayed);
      const both = await Promise.all([
        fixture.runs.update('a', () => ({ document: { score: 2 } }), delayed),
        fixture.runs.insert('b', { score: 1 }),
      ]);
      expect(both.map((stored) => stored?.version)).toEqual([2, 1]);
      await fixture.reopen();
      expect((await fixture.runs.get('a'))?.document).toEqual({ score: 2 });
    });

    it('refuses messages with delayed durability, and changes nothing', async () => {
      const message = { subject: 's', type: 't', key: 'a', data: null };
      const update = fixture.runs.update('a', () => ({ document: { score: 1 }, messages: [message] }), {
        durability: 'delayed',
      });
      const { violations } = await expectError(update, ErrorCode.invalid);
      expect(violations.map(({ path }) => path)).toEqual(['messages']);
      expect(await fixture.runs.get('a')).toBeUndefined();
    });

    it('loses none of 50 concurrent updates', async () => {
      await fixture.runs.insert('a', { score: 0 });
      await Promise.all(
        Array.from({ length: 50 }, () =>
          fixture.runs.update('a', (current) => ({
            document: { score: Number(current?.document.score) + 1 },
            messages: [eventOf('training.run/a', { score: Number(current?.document.score) + 1 })],
          })),
        ),
      );
      expect(await fixture.runs.get('a')).toEqual({ key: 'a', version: 51, document: { score: 50 } });
      const messages = await fixture.store.outbox.pending(100);
      expect(messages.map(({ sequence, json }) => [sequence, JSON.parse(json)])).toEqual(
        Array.from({ length: 50 }, (_, index) => [index + 1, { score: index + 1 }]),
      );
    });

    it('changes nothing when the decision is undefined', async () => {
      const stored = await fixture.runs.insert('a', { state: 'done' });
      expect(await fixture.runs.update('a', () => undefined)).toEqual(stored);
      expect(await fixture.runs.get('a')).toEqual(stored);
      expect(await fixture.runs.update('b', () => undefined)).toBeUndefined();
    });

    it('deletes when the decision says so', async () => {
      await fixture.runs.insert('a', {});
      expect(await fixture.runs.update('a', () => ({ document: null }))).toBeUndefined();
      expect(await fixture.runs.get('a')).toBeUndefined();
    });

    it('passes on what the decision throws, and changes nothing', async () => {
      const stored = await fixture.runs.insert('a', {});
      const update = fixture.runs.update('a', () => {
        throw new RangeError('no');
      });
      await expect(update).rejects.toThrow(RangeError);
      expect(await fixture.runs.get('a')).toEqual(stored);
    });
  });
};
