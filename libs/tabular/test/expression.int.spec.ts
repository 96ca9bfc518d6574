import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compileExpression,
  type DuckDb,
  describeRelation,
  openDuckDb,
  parquetSource,
  type Relation,
  type Table,
  writeTable,
} from '../src/index.ts';

const table: Table = {
  rowCount: 6,
  columns: [
    { name: 'x', type: 'number', values: [1.5, -2.5, 0, null, 7, 0.1] },
    { name: 'n', type: 'integer', values: [1, 2, 0, 4, null, -6] },
    { name: 'flag', type: 'boolean', values: [true, false, null, true, false, null] },
    { name: 'the "city"', type: 'string', values: ["O'Hare", 'ß Straße', null, '🚀', '\uffee', ' jfk '] },
    {
      name: 'at',
      type: 'timestamp',
      values: [0, Date.UTC(2013, 5, 1, 12), null, -86400001, Date.UTC(2024, 1, 29), 1],
    },
  ],
};

let dir: string;
let duck: DuckDb;
let relation: Relation;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tabular-'));
  await writeTable(table, join(dir, 't.parquet'));
  duck = await openDuckDb({ tempDir: dir });
  relation = await describeRelation(duck, parquetSource(join(dir, 't.parquet')));
});
afterAll(async () => {
  await duck.close();
  await rm(dir, { recursive: true, force: true });
});

const inSql = async (text: string): Promise<unknown[]> => {
  const { sql } = compileExpression(text, relation.columns);
  const rows = await duck.rows(`SELECT ${sql} AS value FROM ${relation.source}`);
  return rows.map(({ value }) => (value instanceof Date ? value.getTime() : value));
};

// +0 and −0 are one value in SQL.
const normal = (values: readonly unknown[]): unknown[] => values.map((value) => (value === 0 ? 0 : value));

const expectSame = async (text: string): Promise<void> => {
  const expected = normal(await inSql(text));
  expect(normal(compileExpression(text, relation.columns).evaluate(table)), text).toEqual(expected);
};

const city = '"the ""city"""';

describe('an expression means the same in SQL and in memory', () => {
  it.each([
    'x > 0 and n <= 2',
    'not flag or x is null',
    'flag = true',
    'x between -3 and 1.5',
    'n not between 0 and 2',
    'n in (1, -6, 4)',
    'x not in (7, 0.1)',
    'x / n + n % 4 - -x * 2',
    `${city} = 'O''Hare'`,
    `${city} in ('🚀', 'x')`,
    `${city} < '🚀'`,
    `upper(${city}) = 'SS' or lower(${city}) = 'o''hare'`,
    `upper(${city})`,
    `trim(${city}) = 'jfk'`,
    `length(${city})`,
    `contains(${city}, 'a') or starts_with(${city}, 'O') or ends_with(${city}, '🚀')`,
    'year(at) * 10000 + month(at) * 100 + day(at)',
    'hour(at) + weekday(at) / 10',
    "at >= '2013-06-01T14:00:00+02:00'",
    "'1970-01-01' = at",
    "at in ('1970-01-01', '2024-02-29')",
    'abs(x) + floor(x) + ceil(x) + round(x)',
    'sqrt(x) + ln(n)',
    'coalesce(x, n, 0) > 0.5',
    'at',
  ])('%s', expectSame);

  it('for generated conditions', async () => {
    const number = fc.oneof(
      fc.constantFrom('x', 'n'),
      fc.integer({ min: -9, max: 9 }).map((value) => `(${value})`),
    );
    const sum = fc
      .tuple(number, fc.constantFrom('+', '-', '*', '/', '%'), number)
      .map((parts) => `(${parts.join(' ')})`);
    const test = fc
      .tuple(fc.oneof(number, sum), fc.constantFrom('=', '!=', '<', '<=', '>', '>='), fc.oneof(number, sum))
      .map((parts) => parts.join(' '));
    const condition = fc.letrec<{ all: string }>((tie) => ({
      all: fc.oneof(
        { maxDepth: 3 },
        test,
        fc.constantFrom('flag', 'x is null', 'n is not null'),
        fc.tuple(tie('all'), fc.constantFrom('and', 'or'), tie('all')).map((parts) => `(${parts.join(' ')})`),
        tie('all').map((inner) => `not (${inner})`),
      ),
    })).all;
    await fc.assert(fc.asyncProperty(condition, expectSame), { seed: 42, numRuns: 150 });
  });

  it('and text from outside stays text, whatever it looks like', async () => {
    const attempts = ["'; DROP TABLE t; --", "x' OR '1'='1", '\\', '$1 ? :a', '"'];
    for (const attempt of attempts) await expectSame(`${city} = '${attempt.replaceAll("'", "''")}'`);
  });
});
