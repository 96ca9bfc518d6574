import { describe, expect, it } from 'vitest';
import type { Query } from '../port.ts';
import { expectInvalid, type Fixture, keysOf, type OpenStore, useStore } from './fixture.ts';

const COUNT = 250;

const fill = async ({ runs }: Fixture): Promise<void> => {
  await Promise.all(
    Array.from({ length: COUNT }, (_, index) =>
      runs.insert(`run-${String(index).padStart(4, '0')}`, {
        state: ['queued', 'running', 'done'][index % 3],
        ...(index % 5 === 0 ? {} : { score: index % 7 }),
        metrics: index % 4 === 0 ? {} : { rmse: index % 11 },
      }),
    ),
  );
};

const pagesOf = async (
  { runs }: Fixture,
  query: Query,
  betweenPages: (page: number) => Promise<unknown> = async () => undefined,
): Promise<readonly string[]> => {
  const found: string[] = [];
  let cursor: string | undefined;
  let page = 0;
  do {
    const { items, nextCursor } = await runs.find({ ...query, cursor });
    found.push(...keysOf(items));
    cursor = nextCursor;
    page += 1;
    await betweenPages(page);
  } while (cursor !== undefined);
  return found;
};

const sorts: readonly Query['sort'][] = [
  undefined,
  { field: '$key', direction: 'desc' },
  { field: 'score', direction: 'asc' },
  { field: 'score', direction: 'desc' },
  { field: ['metrics', 'rmse'], direction: 'asc' },
  { field: ['metrics', 'rmse'], direction: 'desc' },
];

export const describePaging = (open: OpenStore): void => {
  describe('paging', () => {
    const fixture = useStore(open);

    it.each(sorts)('gives the whole order in pages, sorted by %j', async (sort) => {
      await fill(fixture);
      const whole = keysOf((await fixture.runs.find({ sort, limit: 1000 })).items);
      expect(whole).toHaveLength(COUNT);
      expect(await pagesOf(fixture, { sort, limit: 7 })).toEqual(whole);
    });

    it.each(sorts)('sees unchanged documents once while others come and go, sorted by %j', async (sort) => {
      await fill(fixture);
      const unchanged = keysOf((await fixture.runs.find({ sort, limit: 1000 })).items).filter(
        (_, position) => position % 10 !== 0,
      );
      const changing = keysOf((await fixture.runs.find({ sort, limit: 1000 })).items).filter(
        (_, position) => position % 10 === 0,
      );
      const found = await pagesOf(fixture, { sort, limit: 20 }, async (page) => {
        await fixture.runs.insert(`new-${page}`, { score: page % 3, metrics: { rmse: page % 3 } });
        const key = changing[page];
        if (key === undefined) return;
        await fixture.runs.update(key, () =>
          page % 2 === 0 ? { document: null } : { document: { score: page, metrics: { rmse: page } } },
        );
      });
      const unchangedSet = new Set(unchanged);
      expect(found.filter((key) => unchangedSet.has(key))).toEqual(unchanged);
    });

    it('gives no cursor with the last page, also when it is full', async () => {
      await fixture.runs.insert('a', {});
      await fixture.runs.insert('b', {});
      expect((await fixture.runs.find({ limit: 2 })).nextCursor).toBeUndefined();
      expect((await fixture.runs.find({ limit: 1 })).nextCursor).toBeDefined();
    });

    it('returns 100 documents unless told otherwise', async () => {
      await fill(fixture);
      expect((await fixture.runs.find()).items).toHaveLength(100);
    });

    it('pages within a filter', async () => {
      await fill(fixture);
      const filter = { field: 'state', op: 'eq', value: 'done' } as const;
      const sort = { field: 'score', direction: 'desc' } as const;
      const whole = keysOf((await fixture.runs.find({ filter, sort, limit: 1000 })).items);
      expect(whole).toHaveLength(await fixture.runs.count(filter));
      expect(await pagesOf(fixture, { filter, sort, limit: 9 })).toEqual(whole);
    });

    it.each(sorts)('finds the few that a filter passes among many, sorted by %j', async (sort) => {
      await fill(fixture);
      const few = Array.from({ length: COUNT }, (_, index) => index).filter(
        (index) => index % 4 !== 0 && index % 11 === 10 && index % 3 === 2,
      );
      const filter = {
        and: [
          { field: ['metrics', 'rmse'], op: 'eq', value: 10 },
          { field: 'state', op: 'eq', value: 'done' },
        ],
      } as const;
      const found = await pagesOf(fixture, { filter, sort, limit: 1 });
      expect(found.toSorted()).toEqual(few.map((index) => `run-${String(index).padStart(4, '0')}`));
      expect(keysOf((await fixture.runs.find({ filter, sort })).items)).toEqual(found);
    });

    it('accepts a cursor only with the query that returned it', async () => {
      await fill(fixture);
      const filter = { field: 'state', op: 'eq', value: 'done' } as const;
      const { nextCursor: cursor } = await fixture.runs.find({ filter, limit: 5 });
      const others: readonly Query[] = [
        {},
        { filter: { ...filter, value: 'queued' } },
        { filter, sort: { field: 'score', direction: 'asc' } },
      ];
      for (const query of others) {
        await expectInvalid(fixture.runs.find({ ...query, cursor, limit: 5 }), 'cursor');
      }
      const models = fixture.store.collection({ name: 'models', indexes: [{ path: 'state', type: 'text' }] });
      await expectInvalid(models.find({ filter, cursor }), 'cursor');
    });

    it.each(['', 'x', 'bnVsbA', '%00', 'WzEsMiwzXQ', `${'A'.repeat(5000)}`])(
      'refuses %j as a cursor',
      async (cursor) => {
        await expectInvalid(fixture.runs.find({ cursor }), 'cursor');
      },
    );

    it('accepts a cursor after a reopening', async () => {
      await fill(fixture);
      const { nextCursor: cursor } = await fixture.runs.find({ limit: 5 });
      await fixture.reopen();
      const { items } = await fixture.runs.find({ limit: 1, cursor });
      expect(keysOf(items)).toEqual(['run-0005']);
    });
  });
};
