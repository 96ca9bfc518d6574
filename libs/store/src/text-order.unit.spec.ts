import { describe, expect, it } from 'vitest';
import { endOfPrefix } from './text-order.ts';

describe('endOfPrefix', () => {
  it.each([
    ['ab', 'ac'],
    ['a\u{10FFFF}', 'b'],
    ['\ud7ff', '\ue000'],
    ['\uffff', '\u{10000}'],
    ['🚂', '🚃'],
    ['', undefined],
    ['\u{10FFFF}\u{10FFFF}', undefined],
  ])('of %j is %j', (prefix, end) => {
    expect(endOfPrefix(prefix)).toBe(end);
  });
});
