import { describe, expect, it } from 'vitest';
import { evenlySpread, pointOf, revisionAt } from './traffic.ts';

const canary = (percent: number) => [
  { revision: 1, percent: 100 - percent, shadow: false },
  { revision: 2, percent, shadow: false },
];

describe('requests that name no unit', () => {
  it.each([5, 10, 20, 50])(
    'reach a canary with %i %% in its share of the first 100, wherever they begin',
    (percent) => {
      for (const start of [0, 0.123, 0.5, 0.987]) {
        const spread = evenlySpread(start);
        const answers = Array.from({ length: 100 }, () => revisionAt(canary(percent), spread() * 100));
        expect(Math.abs(answers.filter((revision) => revision === 2).length - percent)).toBeLessThanOrEqual(
          2,
        );
      }
    },
  );

  it('reach it within a few of the first 20 as well', () => {
    const spread = evenlySpread(0.4);
    const answers = Array.from({ length: 20 }, () => revisionAt(canary(20), spread() * 100));
    const share = answers.filter((revision) => revision === 2).length;
    expect(share).toBeGreaterThanOrEqual(3);
    expect(share).toBeLessThanOrEqual(5);
  });
});

describe('a unit', () => {
  it('always has the same place at an endpoint, and another one elsewhere', () => {
    expect(pointOf('flights', 'ada')).toBe(pointOf('flights', 'ada'));
    expect(pointOf('flights', 'ada')).not.toBe(pointOf('hotels', 'ada'));
  });
});
