import { describe, expect, it } from 'vitest';
import { indexesOf } from '../indexes.ts';
import type { Filter } from '../port.ts';
import { checkFilter } from '../query.ts';
import { filterSql } from './filter-sql.ts';

describe('filterSql', () => {
  const indexes = indexesOf({
    name: 'runs',
    indexes: [
      { path: 'state', type: 'text' },
      { map: 'tags', values: 'text' },
    ],
  });
  const compile = (filter: Filter) => filterSql('runs', checkFilter(indexes, filter), 'lookup');
  const hostile = "x' OR '1'='1";

  it.each<Filter>([
    { field: 'state', op: 'eq', value: hostile },
    { field: 'state', op: 'in', value: [hostile] },
    { field: 'state', op: 'prefix', value: hostile },
    { field: ['tags', hostile], op: 'ne', value: hostile },
    { field: ['tags', hostile], op: 'exists', value: false },
    { or: [{ and: [{ field: '$key', op: 'gt', value: hostile }] }] },
  ])('puts no value into the text of %j', (filter) => {
    const { text, parameters } = compile(filter);
    expect(text).not.toContain(hostile);
    expect(text.split('?')).toHaveLength(parameters.length + 1);
  });

  it('needs one statement for lists of every length', () => {
    const texts = [[], ['a'], ['a', 'b']].map((value) => compile({ field: 'state', op: 'in', value }).text);
    expect(new Set(texts).size).toBe(1);
  });
});
