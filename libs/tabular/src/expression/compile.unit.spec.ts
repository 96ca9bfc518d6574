import type { Invalid } from '@millrace/errors';
import { describe, expect, it } from 'vitest';
import type { ColumnSchema, Table } from '../table.ts';
import { compileCondition, compileExpression, rowsWhere } from './compile.ts';
import { parseExpression } from './syntax.ts';

const columns: readonly ColumnSchema[] = [
  { name: 'price', type: 'number', nullable: true },
  { name: 'origin', type: 'string', nullable: true },
  { name: 'sold', type: 'boolean', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true },
];

const failure = (text: string): Invalid => {
  try {
    compileCondition(text, columns, 'slices[0]');
  } catch (error) {
    return error as Invalid;
  }
  throw new Error(`${text} was accepted`);
};

describe('a wrong expression is refused at its position', () => {
  it.each([
    ['', 1, 'the expression is empty'],
    ['price >', 8, 'expected a value or a column, found the end'],
    ['price > 1 price', 11, 'expected an operator or the end, found "price"'],
    ['(price > 1', 11, 'expected ")", found the end'],
    ['prize > 1', 1, 'unknown column "prize"'],
    ['origin = "JFK"', 10, 'unknown column "JFK"'],
    ["origin = 'JFK", 10, "unclosed '"],
    ['origin > 3', 8, 'cannot compare a string with a number'],
    ['price and sold', 1, 'expected a boolean, found a number'],
    ['sold < true', 6, '"<" does not apply to true and false'],
    ['price = null', 9, '"null" can only be tested for'],
    ['price in (1, origin)', 14, 'a list holds only constants'],
    ["price in (1, 'a')", 14, 'the list must hold number values, found a string'],
    ['at > 5', 6, 'cannot compare a timestamp with a number'],
    ["at > '2013-02-30'", 6, '"2013-02-30" is not a date or time'],
    ['sleep(5) > 1', 1, 'unknown function "sleep"'],
    ['constructor(5) > 1', 1, 'unknown function "constructor"'],
    ['abs(price, 1) > 1', 1, 'abs takes 1 value, found 2'],
    ['price; drop', 6, 'unexpected ";"'],
    ['price not null', 11, 'expected "in" or "between", found "null"'],
  ])('%s', (text, position, message) => {
    const error = failure(text);
    expect(error.code).toBe('invalid');
    expect(error.message).toContain(`slices[0]: ${message} at position ${position}`);
    expect(error.details.position).toBe(String(position));
  });

  it('when it is no condition where one is needed', () => {
    expect(failure('price + 1').message).toContain('yields a number, but a condition is needed');
  });

  it('when it nests too deeply', () => {
    expect(failure('('.repeat(5000)).message).toContain('nested more than');
    expect(() => parseExpression(`${'not '.repeat(2000)}sold`)).toThrow(/nested more than/);
    expect(() => parseExpression(Array(600).fill('price').join('+'))).toThrow(/more than 500 operators/);
  });
});

describe('an expression', () => {
  it('tells the columns that it reads', () => {
    expect(compileExpression("origin = 'JFK' and price > price / 2", columns).columns).toEqual([
      'origin',
      'price',
    ]);
  });

  it('selects only rows for which it is true', () => {
    const table: Table = {
      rowCount: 4,
      columns: [{ name: 'price', type: 'number', values: [1, 5, null, 9] }],
    };
    expect(rowsWhere(table, compileCondition('price >= 5', columns))).toEqual([1, 3]);
  });

  it('takes keywords in any case, == and backticks', () => {
    expect(compileCondition('`price` == 5 AND Not sold', columns).columns).toEqual(['price', 'sold']);
  });
});
