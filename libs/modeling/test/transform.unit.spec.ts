import type { Table } from '@millrace/tabular';
import { describe, expect, it } from 'vitest';
import { applyTransform, autoTransform, fitTransform, parseTransformSpec } from '../src/index.ts';

const table: Table = {
  rowCount: 4,
  columns: [
    { name: 'n', type: 'number', values: [1, null, 3, 5] },
    { name: 'flag', type: 'boolean', values: [true, false, null, true] },
    { name: 'city', type: 'string', values: ['a', 'b', null, 'a'] },
    { name: 'same', type: 'integer', values: [2, 2, 2, 2] },
    { name: 'empty', type: 'string', values: [null, null, null, null] },
    {
      name: 'at',
      type: 'timestamp',
      values: ['2024-01-01T00:30Z', '2024-03-10T13:00Z', '2024-12-31T23:59Z', '2024-12-31T23:59Z'].map(
        Date.parse,
      ),
    },
  ],
};

const columns = (spec: Record<string, unknown>, input = table) =>
  Object.fromEntries(
    applyTransform(fitTransform(parseTransformSpec(spec), table), input).columns.map(({ name, values }) => [
      name,
      values,
    ]),
  );

describe('the built-in transform', () => {
  it('treats each column by its type and says what it left out and why', () => {
    const state = fitTransform(autoTransform, table);
    expect(applyTransform(state, table).columns.map(({ name }) => name)).toEqual([
      'n',
      'n__missing',
      'flag',
      'flag__missing',
      'city=a',
      'city=b',
      'at__year',
      'at__month',
      'at__weekday',
      'at__hour',
    ]);
    expect(state.dropped).toEqual([
      { column: 'same', reason: 'every value is the same' },
      { column: 'empty', reason: 'every value is missing' },
    ]);
  });

  it('takes dates apart in UTC', () => {
    const parts = columns({
      select: ['at'],
      date: { parts: ['year', 'month', 'day', 'weekday', 'hour', 'minute', 'day_of_year'] },
    });
    expect(parts).toEqual({
      at__year: [2024, 2024, 2024, 2024],
      at__month: [1, 3, 12, 12],
      at__day: [1, 10, 31, 31],
      at__weekday: [0, 6, 1, 1],
      at__hour: [0, 13, 23, 23],
      at__minute: [30, 0, 59, 59],
      at__day_of_year: [1, 70, 366, 366],
    });
  });

  it('makes December the neighbour of January when it is cyclical', () => {
    const { at__month_sin: sin = [], at__month_cos: cos = [] } = columns({
      select: ['at'],
      date: { parts: ['month'], cyclical: true },
    });
    const distance = (a: number, b: number) =>
      Math.hypot(Number(sin[a]) - Number(sin[b]), Number(cos[a]) - Number(cos[b]));
    expect(distance(0, 2)).toBeLessThan(distance(0, 1));
  });

  it('follows a column’s own rule, keeps, drops and selects', () => {
    const spec = {
      drop: ['same', 'empty', 'at'],
      columns: { n: { kind: 'categorical', max_categories: 2 }, city: 'keep', flag: { kind: 'drop' } },
    };
    expect(columns(spec)).toEqual({
      'n=1': [1, 0, 0, 0],
      n__other: [0, 0, 1, 1],
      city: ['a', 'b', null, 'a'],
    });
  });

  it('fills with constants', () => {
    const spec = {
      select: ['n', 'city'],
      numeric: { impute: { constant: -1 }, scale: 'none', indicator: false },
      categorical: { impute: { constant: 'none' } },
    };
    expect(columns(spec)).toMatchObject({ n: [1, -1, 3, 5], 'city=none': [0, 0, 1, 0] });
  });

  it('uses what it learnt, never the table that it is applied to', () => {
    const fresh: Table = {
      rowCount: 1,
      columns: table.columns.map((column) => ({ ...column, values: [null] }) as typeof column),
    };
    expect(columns({ select: ['n'], numeric: { scale: 'none' } }, fresh)).toEqual({
      n: [3],
      n__missing: [1],
    });
  });

  it('is plain JSON', () => {
    const state = fitTransform(autoTransform, table);
    expect(applyTransform(JSON.parse(JSON.stringify(state)), table)).toEqual(applyTransform(state, table));
  });

  it.each([
    [{ numerics: {} }, 'steps.transform.numerics: is not a known key'],
    [
      { numeric: { impute: 'mode' } },
      'steps.transform.numeric.impute: must be one of median, mean, most_frequent, none or {constant: <number>}',
    ],
    [{ drop: ['gone'] }, 'steps.transform.drop: there is no column "gone"'],
    [
      { columns: { city: { kind: 'numeric' } } },
      'steps.transform.columns.city.kind: "numeric" needs numbers',
    ],
    [{ select: ['same'] }, 'steps.transform: no feature column is left'],
    [{ date: { parts: ['week'] } }, 'steps.transform.date.parts[0]: must be one of year'],
  ])('refuses %o', (spec, message) => {
    expect(() => columns(spec)).toThrow(message);
  });
});
