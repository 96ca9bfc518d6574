import { expect, test } from 'vitest';
import { nemesisKinds, planMix } from './nemesis.ts';

test('a seed always gives the same plan, another seed another one', () => {
  expect(planMix(7, 20)).toEqual(planMix(7, 20));
  expect(planMix(7, 20)).not.toEqual(planMix(8, 20));
  // A longer mix begins as the shorter one.
  expect(planMix(7, 20).slice(0, 5)).toEqual(planMix(7, 5));
});

test('every kind comes, several at once too, and about a quarter of the periods is quiet', () => {
  const periods = planMix(1, 400);
  const kinds = new Set(periods.flat().map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual([...nemesisKinds].sort());
  expect(periods.some((faults) => faults.length > 1)).toBe(true);
  const quiet = periods.filter((faults) => faults.length === 0).length / periods.length;
  expect(quiet).toBeGreaterThan(0.18);
  expect(quiet).toBeLessThan(0.32);
});
