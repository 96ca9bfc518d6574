import { Invalid } from '@millrace/errors';
import { describe, expect, it } from 'vitest';
import { pageQuery, requireMessage, requireName, requireText } from './checks.ts';

describe('checks at the edge', () => {
  it.each(['', 'Flights', 'a b', '.a', 'a/b', 'ü', 'a'.repeat(129)])(
    'refuse the name %j, naming the field',
    (name) => {
      expect(() => requireName('endpoint', name)).toThrow(/^endpoint: /);
    },
  );

  it.each(['flights', '2024-trips', 'a.b_c-d', 'a'.repeat(128)])('accept the name %j', (name) => {
    expect(requireName('endpoint', name)).toBe(name);
  });

  it('demand what is required', () => {
    expect(() => requireText('model', '')).toThrow('model: is required');
    expect(() => requireMessage('snapshot', undefined)).toThrow(Invalid);
    expect(requireMessage('snapshot', 0)).toBe(0);
  });

  it('bound a page', () => {
    expect(pageQuery(undefined)).toEqual({ limit: 100 });
    expect(pageQuery({ limit: 7, cursor: 'c' })).toEqual({ limit: 7, cursor: 'c' });
    for (const limit of [-1, 1001]) expect(() => pageQuery({ limit, cursor: '' })).toThrow('page.limit');
  });
});
