import { ErrorCode } from '@millrace/errors';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Filter, Query } from '../port.ts';
import { expectError, expectInvalid, keysOf, type OpenStore, type Run, useStore } from './fixture.ts';

const documents: Readonly<Record<string, Run>> = {
  a: { state: 'running', score: 1, owner: { team: 'blue' }, metrics: { rmse: 0.5, r2: 0.9 } },
  b: { state: 'failed', score: 2, owner: { team: 'red' }, tags: { stage: 'dev' } },
  c: { state: 'finished', score: 2, metrics: { rmse: 0.25 }, tags: { stage: 'prod', 'a.b"c': 'x' } },
  d: { state: 'finished', score: -1.5, metrics: { rmse: 2 } },
  e: { owner: {}, tags: {} },
  f: { state: 'Running', score: true, metrics: { rmse: 0.5 } },
};

/** Each filter with the keys that it must find. */
const filters: readonly (readonly [string, Filter, string])[] = [
  ['eq on text', { field: 'state', op: 'eq', value: 'running' }, 'a'],
  ['eq on a number', { field: 'score', op: 'eq', value: 2 }, 'bc'],
  ['eq on a boolean, which counts as 0 or 1', { field: 'score', op: 'eq', value: true }, 'af'],
  ['eq on a nested path', { field: 'owner.team', op: 'eq', value: 'red' }, 'b'],
  ['eq on the key', { field: '$key', op: 'eq', value: 'c' }, 'c'],
  ['ne, which needs the field', { field: 'state', op: 'ne', value: 'finished' }, 'abf'],
  ['lt', { field: 'score', op: 'lt', value: 1 }, 'd'],
  ['lte', { field: 'score', op: 'lte', value: 1 }, 'adf'],
  ['gt', { field: 'score', op: 'gt', value: 1 }, 'bc'],
  ['gte', { field: 'score', op: 'gte', value: 1 }, 'abcf'],
  ['gt on text, by code point', { field: 'state', op: 'gt', value: 'a' }, 'abcd'],
  ['gte on the key', { field: '$key', op: 'gte', value: 'e' }, 'ef'],
  ['in on text', { field: 'state', op: 'in', value: ['failed', 'running', 'none'] }, 'ab'],
  ['in on numbers', { field: 'score', op: 'in', value: [-1.5, 2] }, 'bcd'],
  ['in on the key', { field: '$key', op: 'in', value: ['b', 'z', 'a'] }, 'ab'],
  ['in of nothing', { field: 'state', op: 'in', value: [] }, ''],
  ['prefix', { field: 'state', op: 'prefix', value: 'f' }, 'bcd'],
  ['prefix of a whole text', { field: 'state', op: 'prefix', value: 'failed' }, 'b'],
  ['an empty prefix', { field: 'state', op: 'prefix', value: '' }, 'abcdf'],
  ['prefix of an entry', { field: ['tags', 'stage'], op: 'prefix', value: 'p' }, 'c'],
  ['exists', { field: 'owner.team', op: 'exists', value: true }, 'ab'],
  ['exists not', { field: 'state', op: 'exists', value: false }, 'e'],
  ['exists of an entry', { field: ['metrics', 'r2'], op: 'exists', value: true }, 'a'],
  ['exists not of an entry', { field: ['metrics', 'rmse'], op: 'exists', value: false }, 'be'],
  ['exists of the key', { field: '$key', op: 'exists', value: true }, 'abcdef'],
  ['eq on an entry', { field: ['tags', 'stage'], op: 'eq', value: 'dev' }, 'b'],
  ['eq on an entry with a hostile name', { field: ['tags', 'a.b"c'], op: 'eq', value: 'x' }, 'c'],
  ['lt on an entry', { field: ['metrics', 'rmse'], op: 'lt', value: 0.5 }, 'c'],
  ['gte on an entry', { field: ['metrics', 'rmse'], op: 'gte', value: 0.5 }, 'adf'],
  ['ne on an entry, which needs the entry', { field: ['metrics', 'rmse'], op: 'ne', value: 0.5 }, 'cd'],
  ['in on an entry', { field: ['metrics', 'rmse'], op: 'in', value: [0.25, 2] }, 'cd'],
  ['an entry that no document has', { field: ['metrics', 'none'], op: 'gt', value: 0 }, ''],
  ['and of nothing', { and: [] }, 'abcdef'],
  ['or of nothing', { or: [] }, ''],
  [
    'and',
    {
      and: [
        { field: 'state', op: 'eq', value: 'finished' },
        { field: ['metrics', 'rmse'], op: 'lt', value: 1 },
      ],
    },
    'c',
  ],
  [
    'or, also where a field is missing',
    {
      or: [
        { field: 'owner.team', op: 'eq', value: 'blue' },
        { field: 'state', op: 'exists', value: false },
      ],
    },
    'ae',
  ],
  [
    'or within and',
    {
      and: [
        {
          or: [
            { field: 'state', op: 'eq', value: 'finished' },
            { field: 'state', op: 'eq', value: 'failed' },
          ],
        },
        { field: 'score', op: 'gt', value: 0 },
      ],
    },
    'bc',
  ],
];

const sorts: readonly (readonly [string, Query['sort'], string])[] = [
  ['by key without a sort', undefined, 'abcdef'],
  ['by key descending', { field: '$key', direction: 'desc' }, 'fedcba'],
  ['by number, ties by key, the missing last', { field: 'score', direction: 'asc' }, 'dafbce'],
  ['descending, ties by key ascending, the missing last', { field: 'score', direction: 'desc' }, 'bcafde'],
  ['by text by code point', { field: 'state', direction: 'asc' }, 'fbcdae'],
  ['by entry, the missing last', { field: ['metrics', 'rmse'], direction: 'asc' }, 'cafdbe'],
  ['by entry descending, the missing last', { field: ['metrics', 'rmse'], direction: 'desc' }, 'dafcbe'],
  ['by an entry that no document has', { field: ['tags', 'none'], direction: 'desc' }, 'abcdef'],
];

const invalidQueries: readonly (readonly [string, unknown, string])[] = [
  ['an undeclared field', { filter: { field: 'note', op: 'eq', value: 1 } }, 'filter.field'],
  ['an undeclared map', { filter: { field: ['note', 'x'], op: 'eq', value: 1 } }, 'filter.field'],
  ['a map as a whole', { filter: { field: 'metrics', op: 'eq', value: 1 } }, 'filter.field'],
  ['a field named to inject', { filter: { field: "state' OR 1=1 --", op: 'eq', value: 1 } }, 'filter.field'],
  ['an inherited property', { filter: { field: '__proto__', op: 'eq', value: 1 } }, 'filter.field'],
  ['an undeclared sort', { sort: { field: 'note', direction: 'asc' } }, 'sort.field'],
  ['an unknown direction', { sort: { field: 'state', direction: 'up' } }, 'sort.direction'],
  ['an unknown operator', { filter: { field: 'state', op: 'like', value: 'x' } }, 'filter.op'],
  ['text against a number', { filter: { field: 'score', op: 'eq', value: '1' } }, 'filter.value'],
  ['a number against text', { filter: { field: 'state', op: 'eq', value: 1 } }, 'filter.value'],
  ['a prefix of a number', { filter: { field: 'score', op: 'prefix', value: '1' } }, 'filter.op'],
  ['an object as value', { filter: { field: 'state', op: 'eq', value: { $ne: null } } }, 'filter.value'],
  ['a list that is none', { filter: { field: 'state', op: 'in', value: 'x' } }, 'filter.value'],
  ['a filter that is none', { filter: { and: ['x'] } }, 'filter.and[0]'],
  ['limit 0', { limit: 0 }, 'limit'],
  ['limit 1,001', { limit: 1001 }, 'limit'],
  ['a broken limit', { limit: 1.5 }, 'limit'],
];

export const describeQueries = (open: OpenStore): void => {
  describe('queries', () => {
    const fixture = useStore(open);

    beforeEach(async () => {
      await Promise.all(
        Object.entries(documents).map(([key, document]) => fixture.runs.insert(key, document)),
      );
    });

    it.each(filters)('filters by %s', async (_, filter, keys) => {
      expect(keysOf((await fixture.runs.find({ filter })).items).join('')).toBe(keys);
      expect(await fixture.runs.count(filter)).toBe(keys.length);
    });

    it.each(sorts)('sorts %s', async (_, sort, keys) => {
      expect(keysOf((await fixture.runs.find({ sort })).items).join('')).toBe(keys);
    });

    it.each(sorts)('sorts %s, the same page by page', async (_, sort, keys) => {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await fixture.runs.find({ sort, limit: 1, cursor });
        found.push(...keysOf(page.items));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(found.join('')).toBe(keys);
    });

    it.each(invalidQueries)('refuses %s', async (_, query, path) => {
      await expectInvalid(fixture.runs.find(query as Query), path);
    });

    it('refuses a filter of endless depth', async () => {
      let filter: Filter = { field: 'state', op: 'eq', value: 'x' };
      for (let level = 0; level < 2000; level += 1) filter = { and: [filter] };
      await expectError(fixture.runs.find({ filter }), ErrorCode.invalid);
    });

    it('sees changed entries and values after an update, not the old ones', async () => {
      await fixture.runs.commit({
        key: 'a',
        expected: 1,
        document: { state: 'finished', metrics: { rmse: 9, mae: 1 } },
      });
      const having = (name: string): Promise<number> =>
        fixture.runs.count({ field: ['metrics', name], op: 'exists', value: true });
      expect(await fixture.runs.count({ field: ['metrics', 'rmse'], op: 'eq', value: 9 })).toBe(1);
      expect(await fixture.runs.count({ field: 'state', op: 'eq', value: 'running' })).toBe(0);
      expect([await having('r2'), await having('mae')]).toEqual([0, 1]);
    });

    it('refuses a document that holds another type than its index', async () => {
      const wrong = [
        [{ score: 'high' }, 'document.score'],
        [{ state: 5 }, 'document.state'],
        [{ state: ['running'] }, 'document.state'],
        [{ metrics: { rmse: '0.5' } }, 'document.metrics["rmse"]'],
        [{ metrics: [1] }, 'document.metrics'],
      ] as const;
      for (const [document, path] of wrong) {
        await expectInvalid(fixture.runs.insert('z', document as never), path);
      }
    });

    it('scans every document that matches', async () => {
      const found: string[] = [];
      for await (const { key } of fixture.runs.scan({ field: 'state', op: 'exists', value: true })) {
        found.push(key);
      }
      expect(found.toSorted().join('')).toBe('abcdf');
    });
  });
};
