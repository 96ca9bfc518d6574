import { describe, expect, it } from 'vitest';
import { parseRunFilter, parseRunOrder } from './run-filter.ts';

describe('a run filter', () => {
  it('compares metrics with numbers and everything else with texts, joined by and', () => {
    expect(
      parseRunFilter("metrics.val_rmse <= 1.5e1 AND params.using != 'linear/ridge' and status = 'finished'"),
    ).toEqual({
      and: [
        { field: ['metrics', 'val_rmse'], op: 'lte', value: 15 },
        { field: ['params', 'using'], op: 'ne', value: 'linear/ridge' },
        { field: 'status', op: 'eq', value: 'RUN_STATUS_FINISHED' },
      ],
    });
  });

  it('knows prefixes, lists, quoted keys and dotted names', () => {
    expect(parseRunFilter("tags.`a b` LIKE 'x%'")).toEqual({
      field: ['tags', 'a b'],
      op: 'prefix',
      value: 'x',
    });
    expect(parseRunFilter("tags.millrace.project = 'p'")).toEqual({
      field: ['tags', 'millrace.project'],
      op: 'eq',
      value: 'p',
    });
    expect(parseRunFilter('attributes.run_name IN (\'a\', "b")')).toEqual({
      field: 'name',
      op: 'in',
      value: ['a', 'b'],
    });
    expect(parseRunFilter('metrics.loss > -.5')).toEqual({
      field: ['metrics', 'loss'],
      op: 'gt',
      value: -0.5,
    });
  });

  it('is nothing when it is empty', () => {
    expect(parseRunFilter('  ')).toBeUndefined();
  });

  it.each([
    ['metrics.x > "a"', 'a metric is compared with a number (position 13)'],
    ['params.x = 3', 'is compared with a quoted text (position 12)'],
    ['metrics.x >', 'a value is missing (position 12)'],
    ["colour = 'red'", '"colour" is not a field'],
    ["status = 'FINISHED' or status = 'FAILED'", 'expected "and", found "or" (position 21)'],
    ['metrics.x ~ 3', '"~ 3" is not understood'],
    ["params.x LIKE '%a'", 'LIKE takes a prefix'],
    ["params.x IN ('a'", '")" is missing'],
    ["status = 'a'; drop", 'is not understood'],
  ])('refuses %s', (filter, message) => {
    expect(() => parseRunFilter(filter)).toThrow(message);
  });
});

describe('a run order', () => {
  it('is newest first unless it says otherwise', () => {
    expect(parseRunOrder('')).toEqual({ field: 'startedAt', direction: 'desc' });
    expect(parseRunOrder('metrics.f1 DESC')).toEqual({ field: ['metrics', 'f1'], direction: 'desc' });
    expect(parseRunOrder('start_time')).toEqual({ field: 'startedAt', direction: 'asc' });
    expect(() => parseRunOrder('size desc')).toThrow('order_by: "size" is not a field');
  });
});
