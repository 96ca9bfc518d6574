import { expect, it } from 'vitest';
import { clockSkewMs } from './diagnosis.ts';

it.each([
  ['within a quick answer', 1_002, 1_000, 1_004, 0],
  ['within an answer that took long, whenever it was read', 9_900, 1_000, 10_000, 0],
  ['before the question', 700, 1_000, 10_000, -300],
  ['after the answer', 12_500, 1_000, 10_000, 2_500],
])('a clock %s is off by no more than is certain', (_, time, asked, answered, skewMs) => {
  expect(clockSkewMs(time, asked, answered)).toBe(skewMs);
});
