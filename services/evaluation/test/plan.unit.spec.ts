import { Invalid } from '@millrace/errors';
import { TaskType } from '@millrace/metrics';
import { describe, expect, it } from 'vitest';
import { describeGate } from '../src/domain/gate.ts';
import { metricCatalog } from '../src/domain/metric-catalog.ts';
import { planOf } from '../src/domain/plan.ts';

const catalog = metricCatalog(TaskType.regression, '', [
  { name: 'bias', function: 'bias', greaterIsBetter: false },
]);
const evening = { name: 'evening', where: 'hour >= 18' };
const planFor = (criterion: object) =>
  planOf({ validation_criteria: [criterion], slices: [evening, 'carrier'] }, catalog);

describe('criteria become gates', () => {
  it.each<[object, readonly string[]]>([
    [{ metric: 'root_mean_squared_error', threshold: 40 }, ['root_mean_squared_error <= 40']],
    [{ metric: 'r2_score', threshold: 0.5 }, ['r2_score >= 0.5']],
    [{ metric: 'bias', threshold: 2 }, ['bias <= 2']],
    [{ metric: 'r2_score', min: 0.5, max: 0.9 }, ['r2_score >= 0.5', 'r2_score <= 0.9']],
    [{ metric: 'example_count', min: 100 }, ['example_count >= 100']],
    [{ metric: 'r2_score', min: 0.5, on: 'ci_bound' }, ['lower bound of r2_score >= 0.5']],
    [{ metric: 'max_error', max: 9, on: 'ci_bound' }, ['upper bound of max_error <= 9']],
    [{ metric: 'max_error', max: 9, slice: 'worst' }, ['max_error <= 9 on the worst slice']],
    [{ metric: 'max_error', max: 9, slice: 'evening' }, ['max_error <= 9 on slice evening']],
    [{ metric: 'max_error', max: 9, slice: 'carrier=UA' }, ['max_error <= 9 on slice carrier=UA']],
    [
      { metric: 'r2_score', compare: 'champion', max_regression: 0.01, on: 'value' },
      ['r2_score at most 0.01 worse than the champion'],
    ],
    [
      { metric: 'r2_score', compare: 'champion', min_improvement: 0.01, paired: true, on: 'value' },
      ['r2_score at least 0.01 better than the champion (worse end of the paired interval)'],
    ],
  ])('%j', (criterion, descriptions) => {
    expect(planFor(criterion).gates.map(describeGate)).toEqual(descriptions);
  });

  it('and none is a plan too', () => {
    for (const config of [undefined, null, {}, { validation_criteria: null, slices: [], timeout: '5m' }]) {
      expect(planOf(config, catalog)).toEqual({ gates: [], slices: [] });
    }
  });
});

describe('a plan that makes no sense is refused by the path in the recipe', () => {
  const criterion = 'steps.evaluate.validation_criteria[0]';
  it.each<[string, object, string]>([
    ['an unknown metric', { metric: 'rmse', threshold: 1 }, `${criterion}.metric`],
    ['a missing metric', { threshold: 1 }, `${criterion}.metric`],
    ['no bound', { metric: 'r2_score' }, criterion],
    ['two kinds of bound', { metric: 'r2_score', threshold: 1, min: 0 }, criterion],
    [
      'a bound beside compare',
      { metric: 'r2_score', compare: 'champion', min: 0, max_regression: 0 },
      criterion,
    ],
    ['compare without a limit', { metric: 'r2_score', compare: 'champion' }, criterion],
    [
      'compare with two limits',
      { metric: 'r2_score', compare: 'champion', max_regression: 0, min_improvement: 0 },
      criterion,
    ],
    ['a limit without compare', { metric: 'r2_score', min: 0, max_regression: 0 }, criterion],
    [
      'a negative limit',
      { metric: 'r2_score', compare: 'champion', max_regression: -1 },
      `${criterion}.max_regression`,
    ],
    ['a threshold that is text', { metric: 'r2_score', threshold: '1' }, `${criterion}.threshold`],
    ['an unknown key', { metric: 'r2_score', treshold: 1 }, criterion],
    ['a threshold on a fact', { metric: 'example_count', threshold: 10 }, `${criterion}.threshold`],
    [
      'comparing a fact',
      { metric: 'example_count', compare: 'champion', max_regression: 1 },
      `${criterion}.metric`,
    ],
    ['the worst slice by a fact', { metric: 'example_count', min: 1, slice: 'worst' }, `${criterion}.slice`],
    ['an interval that there is none of', { metric: 'bias', max: 1, on: 'ci_bound' }, `${criterion}.on`],
    ['a project metric on a slice', { metric: 'bias', max: 1, slice: 'evening' }, `${criterion}.slice`],
    ['an unknown slice', { metric: 'max_error', max: 1, slice: 'night' }, `${criterion}.slice`],
    [
      'the champion on a slice',
      { metric: 'r2_score', compare: 'champion', max_regression: 0, slice: 'evening' },
      `${criterion}.slice`,
    ],
  ])('%s', (_, wrong, path) => {
    expect(() => planFor(wrong)).toThrow(expect.toSatisfy(isInvalidAt(path)));
  });

  it.each<[string, readonly unknown[], string]>([
    ['two slices of one name', [evening, evening], 'steps.evaluate.slices[1]'],
    ['a slice named worst', [{ name: 'worst', where: 'a > 1' }], 'steps.evaluate.slices[0]'],
    ['a slice without rows possible', [{ ...evening, min_support: 0 }], 'steps.evaluate.slices[0]'],
  ])('%s', (_, slices, path) => {
    expect(() => planOf({ slices }, catalog)).toThrow(expect.toSatisfy(isInvalidAt(path)));
  });

  it('the worst slice where there are none', () => {
    const config = { validation_criteria: [{ metric: 'max_error', max: 1, slice: 'worst' }] };
    expect(() => planOf(config, catalog)).toThrow(expect.toSatisfy(isInvalidAt(`${criterion}.slice`)));
  });
});

const isInvalidAt = (path: string) => (thrown: unknown) =>
  thrown instanceof Invalid && thrown.violations.some((violation) => violation.path.startsWith(path));
