import { describe, expect, it } from 'vitest';
import { type ColumnType, convertedSql } from '../src/index.ts';
import { useSession } from './session.ts';

const session = useSession();

const convert = async (value: string, from: ColumnType, to: ColumnType): Promise<unknown> =>
  (await session().duck.row(`SELECT ${convertedSql('x', from, to)} AS y FROM (SELECT ${value} AS x)`)).y;

describe('a conversion', () => {
  it.each<[string, ColumnType, ColumnType, unknown]>([
    ["'12'", 'string', 'integer', 12],
    ["'12.5'", 'string', 'integer', null],
    ["'12.5'", 'string', 'number', 12.5],
    ["'12'", 'string', 'number', 12],
    ["'0x10'", 'string', 'number', null],
    ["'True'", 'string', 'boolean', true],
    ["'2013-01-01T02:00:00+02:00'", 'string', 'timestamp', new Date('2013-01-01T00:00:00Z')],
    ["'2013-13-01'", 'string', 'timestamp', null],
    ['2.0::DOUBLE', 'number', 'integer', 2],
    ['2.5::DOUBLE', 'number', 'integer', null],
    ['7::BIGINT', 'integer', 'number', 7],
    ['7::BIGINT', 'integer', 'string', '7'],
    ['1::BIGINT', 'integer', 'boolean', true],
    ['2::BIGINT', 'integer', 'boolean', null],
    ['true', 'boolean', 'integer', 1],
    ['1::BIGINT', 'integer', 'timestamp', null],
  ])('of %s (%s) to %s gives %s', async (value, from, to, expected) => {
    expect(await convert(value, from, to)).toEqual(expected);
  });
});
