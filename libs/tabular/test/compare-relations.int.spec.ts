import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareRelations, firstRows, profileRelation, readableRelation } from '../src/index.ts';
import { useSession } from './session.ts';

const session = useSession();

const left = [1, 2, 2, 0, 9, null, 4.5];
const right = [20, 0, 0, null];
const words = ['a', 'b', 'a', null, 'c', 'a', 'c'];

const rowsOf = (numbers: readonly (number | null)[]): string =>
  numbers
    .map((x, index) => `(${x ?? 'NULL'}::DOUBLE, ${words[index] === null ? 'NULL' : `'${words[index]}'`})`)
    .join(', ');

const make = async () => {
  const { duck } = session();
  await duck.run(
    `CREATE OR REPLACE TEMP TABLE l AS SELECT * FROM (VALUES ${rowsOf(left)}) AS t(x, "the word")`,
  );
  await duck.run(
    `CREATE OR REPLACE TEMP TABLE r AS SELECT * FROM (VALUES ${rowsOf(right)}) AS t(x, "the word")`,
  );
  return compareRelations(
    duck,
    [
      { name: 'left', source: 'l' },
      { name: 'right', source: 'r' },
    ],
    [
      { name: 'x', type: 'number' },
      { name: 'the word', type: 'string' },
    ],
  );
};

/** The figures by their definitions. */
const figuresOf = (given: readonly (number | null)[]) => {
  const values = given.filter((value) => value !== null).sort((a, b) => a - b);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = (values.length - 1) / 2;
  return {
    count: values.length,
    missing: given.length - values.length,
    min: values[0],
    max: values.at(-1),
    mean,
    median: ((values[Math.floor(middle)] ?? 0) + (values[Math.ceil(middle)] ?? 0)) / 2,
    std: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)),
    zeros: values.filter((value) => value === 0).length,
  };
};

describe('a comparison of tables', () => {
  it('has the figures of each, by their definitions', async () => {
    const { names, rows, columns } = await make();
    expect([names, rows]).toEqual([
      ['left', 'right'],
      [7, 4],
    ]);
    for (const [index, given] of [left, right].entries()) {
      for (const [name, value] of Object.entries(figuresOf(given))) {
        const found = columns[0]?.parts[index]?.[name as 'mean'];
        expect(found, name).toBeCloseTo(value ?? Number.NaN, 12);
      }
    }
  });

  it('counts each value once, in buckets that all tables share', async () => {
    const { histogram } = (await make()).columns[0] ?? {};
    expect(histogram?.edges).toHaveLength(21);
    expect([histogram?.edges[0], histogram?.edges.at(-1)]).toEqual([0, 20]);
    const expected = [left, right].map((given) =>
      Array.from(
        { length: 20 },
        (_, bucket) => given.filter((x) => x !== null && Math.min(19, Math.floor(x)) === bucket).length,
      ),
    );
    expect(histogram?.counts).toEqual(expected);
  });

  it('has the most frequent values over all tables, and how many rows have none of them', async () => {
    expect((await make()).columns[1]?.categories).toEqual({
      values: ['a', 'b', 'c'],
      counts: [
        [3, 1, 2],
        [2, 1, 0],
      ],
      other: [0, 0],
    });
  });

  it('describes columns without a value, of one value, and of values too large to be squared', async () => {
    const { duck } = session();
    await duck.run(
      `CREATE OR REPLACE TEMP TABLE odd AS SELECT * FROM (VALUES (NULL::DOUBLE, 3, 1.7e308), (NULL, 3, -1.7e308)) AS t(a, b, c)`,
    );
    const columns = ['a', 'b', 'c'].map((name) => ({ name, type: 'number' as const }));
    const compared = await compareRelations(duck, [{ name: 'odd', source: 'odd' }], columns);
    expect(compared.columns[0]).toEqual({ name: 'a', type: 'number', parts: [{ count: 0, missing: 2 }] });
    expect(compared.columns[1]?.histogram).toEqual({ edges: [3, 3], counts: [[2]] });
    expect(compared.columns[2]?.parts[0]).not.toHaveProperty('std');
    expect(compared.columns[2]?.histogram?.edges.every(Number.isFinite)).toBe(true);
  });
});

describe('a Parquet file of any origin', () => {
  it('is read as far as columns can hold it, with what is no number as missing', async () => {
    const { duck, dir } = session();
    const path = join(dir, 'odd.parquet');
    await duck.run(
      `COPY (SELECT * FROM (VALUES (1.5::FLOAT, 'nan'::DOUBLE, [1, 2], DATE '2020-02-03'), (2, 'inf'::DOUBLE, [3], NULL)) AS t(x, y, l, "d d"))
       TO '${path}' (FORMAT parquet)`,
    );
    const relation = await readableRelation(duck, path, 'odd file');
    expect(relation.unreadable).toEqual([{ name: 'l', type: 'INTEGER[]' }]);
    expect(relation.columns).toEqual([
      { name: 'x', type: 'number', nullable: false },
      { name: 'y', type: 'number', nullable: true },
      { name: 'd d', type: 'timestamp', nullable: true },
    ]);
    expect((await firstRows(duck, relation, 1)).rows).toEqual([
      [1.5, null, new Date('2020-02-03T00:00:00Z')],
    ]);
    expect((await profileRelation(duck, relation)).columns.map(({ missing }) => missing)).toEqual([0, 2, 1]);
  });
});

describe('a profile', () => {
  it('counts zeros, and all values in buckets of equal width', async () => {
    const { duck } = session();
    const relation = {
      source: 'l',
      rowCount: 7,
      columns: [{ name: 'x', type: 'number' as const, nullable: true }],
    };
    await make();
    const { columns } = await profileRelation(duck, relation);
    expect(columns[0]?.numeric).toMatchObject({ zeros: 1 });
    expect(columns[0]?.numeric?.histogram?.edges).toHaveLength(21);
    expect(columns[0]?.numeric?.histogram?.counts.reduce((sum, count) => sum + count, 0)).toBe(6);
  });
});
