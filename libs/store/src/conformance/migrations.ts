import { ErrorCode } from '@millrace/errors';
import { describe, expect, it } from 'vitest';
import type { Migration } from '../port.ts';
import { expectError, keysOf, type OpenStore, runsDefinition, useStore } from './fixture.ts';

export const describeMigrations = (open: OpenStore): void => {
  describe('migrations', () => {
    const fixture = useStore(open);
    const noting = (calls: string[], number: number, name = `step ${number}`): Migration => ({
      number,
      name,
      up: async () => {
        calls.push(name);
      },
    });

    it('run once each, in order, over reopenings', async () => {
      const calls: string[] = [];
      await fixture.store.migrate([noting(calls, 1)]);
      await fixture.reopen();
      await fixture.store.migrate([noting(calls, 1), noting(calls, 2), noting(calls, 3)]);
      await fixture.store.migrate([noting(calls, 1), noting(calls, 2), noting(calls, 3)]);
      expect(calls).toEqual(['step 1', 'step 2', 'step 3']);
    });

    it('change documents', async () => {
      await fixture.runs.insert('a', { state: 'RUNNING' });
      await fixture.store.migrate([
        {
          number: 1,
          name: 'states in lower case',
          up: async (store) => {
            const runs = store.collection<{ state: string }>(runsDefinition);
            for await (const { key } of runs.scan()) {
              await runs.update(
                key,
                (current) => current && { document: { state: current.document.state.toLowerCase() } },
              );
            }
          },
        },
      ]);
      expect((await fixture.runs.get('a'))?.document).toEqual({ state: 'running' });
    });

    it('run again after a failure, and the later ones wait', async () => {
      const calls: string[] = [];
      const broken: Migration = {
        number: 1,
        name: 'step 1',
        up: async () => {
          throw new RangeError('half-way');
        },
      };
      await expect(fixture.store.migrate([broken, noting(calls, 2)])).rejects.toThrow(RangeError);
      expect(calls).toEqual([]);
      await fixture.store.migrate([noting(calls, 1), noting(calls, 2)]);
      expect(calls).toEqual(['step 1', 'step 2']);
    });

    it('are refused when their numbers have a gap, repeat or do not begin at 1', async () => {
      const calls: string[] = [];
      for (const numbers of [[2], [1, 3], [1, 1], [0], [2, 1]]) {
        const migrations = numbers.map((number) => noting(calls, number));
        await expectError(fixture.store.migrate(migrations), ErrorCode.invalid);
      }
      expect(calls).toEqual([]);
    });

    it('are refused when the store is newer than the code', async () => {
      const calls: string[] = [];
      await fixture.store.migrate([noting(calls, 1), noting(calls, 2)]);
      await expectError(fixture.store.migrate([noting(calls, 1)]), ErrorCode.failedPrecondition);
    });

    it('are refused when one that has run has another name now', async () => {
      const calls: string[] = [];
      await fixture.store.migrate([noting(calls, 1)]);
      const renamed = [noting(calls, 1, 'something else'), noting(calls, 2)];
      await expectError(fixture.store.migrate(renamed), ErrorCode.failedPrecondition);
      expect(calls).toEqual(['step 1']);
    });
  });

  describe('a definition', () => {
    const fixture = useStore(open);

    it('that changed since the last opening makes its indexes anew', async () => {
      await fixture.runs.insert('a', { state: 'running', metrics: { rmse: 1 }, note: 'x' });
      await fixture.runs.commit({ key: 'a', expected: 1, document: { state: 'done', note: 'y' } });
      await fixture.reopen();
      const runs = fixture.store.collection({ name: 'runs', indexes: [{ path: 'note', type: 'text' }] });
      const { items } = await runs.find({ filter: { field: 'note', op: 'eq', value: 'y' } });
      expect(items).toEqual([{ key: 'a', version: 2, document: { state: 'done', note: 'y' } }]);
      await expectError(
        runs.find({ filter: { field: 'state', op: 'exists', value: true } }),
        ErrorCode.invalid,
      );
    });

    it('may be given again with its indexes in another order, not with others', async () => {
      await fixture.runs.insert('a', {});
      const indexes = runsDefinition.indexes?.toReversed();
      const same = fixture.store.collection({ name: 'runs', indexes });
      expect(keysOf((await same.find()).items)).toEqual(['a']);
      await expectError(() => fixture.store.collection({ name: 'runs' }), ErrorCode.invalid);
    });

    it.each([
      { name: '' },
      { name: 'Runs' },
      { name: 'runs; DROP TABLE meta' },
      { name: '__proto__' },
      { name: 'x', indexes: [{ path: '', type: 'text' }] },
      { name: 'x', indexes: [{ path: 'a"b', type: 'text' }] },
      { name: 'x', indexes: [{ path: '$key', type: 'text' }] },
      { name: 'x', indexes: [{ path: 'a', type: 'date' }] },
      {
        name: 'x',
        indexes: [
          { path: 'a', type: 'text' },
          { path: 'a', type: 'number' },
        ],
      },
    ])('is refused when it is %j', async (definition) => {
      await expectError(() => fixture.store.collection(definition as never), ErrorCode.invalid);
    });
  });
};
