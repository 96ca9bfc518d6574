import { describe, expect, it } from 'vitest';
import { type ChampionFacts, decideGates, type GateFacts, verdictOf } from '../src/domain/decide-gates.ts';
import type { BoundGate, ChampionGate, Gate } from '../src/domain/gate.ts';
import { requireProduced } from '../src/domain/produced-metrics.ts';

const interval = (low: number, high: number) => ({ low, high, confidence: 0.95 });

const facts: GateFacts = {
  metrics: [
    { name: 'rmse', value: 10, interval: interval(8, 12) },
    { name: 'f1', value: 0.8, interval: interval(0.7, 0.9) },
    { name: 'bias', value: 1 },
  ],
  slices: [
    {
      name: 'a',
      where: 'x = 1',
      support: 50,
      minSupport: 30,
      metrics: [
        { name: 'f1', value: 0.6 },
        { name: 'rmse', value: 9 },
      ],
    },
    {
      name: 'b',
      where: 'x = 2',
      support: 40,
      minSupport: 30,
      metrics: [
        { name: 'f1', value: 0.7 },
        { name: 'rmse', value: 20 },
      ],
    },
    { name: 'tiny', where: 'x = 3', support: 3, minSupport: 30, metrics: [] },
    { name: 'undefined', where: 'x = 4', support: 90, minSupport: 30, metrics: [] },
  ],
  champion: { kind: 'none' },
};

const bound = (part: Partial<BoundGate>): BoundGate => ({
  kind: 'bound',
  path: '',
  metric: 'f1',
  greaterIsBetter: part.metric !== 'rmse',
  bound: part.metric === 'rmse' ? 'max' : 'min',
  limit: 0,
  on: 'value',
  slice: '',
  ...part,
});

const decide = (gate: Gate, champion: ChampionFacts = facts.champion) =>
  decideGates([gate], { ...facts, champion })[0]!;

describe('a bound', () => {
  it.each<[string, Partial<BoundGate>, boolean, number | undefined]>([
    ['is met at exactly its limit, from below', { metric: 'rmse', limit: 10 }, true, 10],
    ['is met at exactly its limit, from above', { limit: 0.8 }, true, 0.8],
    ['is missed just beyond it', { metric: 'rmse', limit: 9.999 }, false, 10],
    ['is missed just short of it', { limit: 0.8001 }, false, 0.8],
    ['judges the lower end of the interval for a minimum', { limit: 0.75, on: 'ci_bound' }, false, 0.7],
    [
      'judges the upper end of the interval for a maximum',
      { metric: 'rmse', limit: 11, on: 'ci_bound' },
      false,
      12,
    ],
    ['fails where there is no interval', { metric: 'bias', on: 'ci_bound' }, false, undefined],
    ['fails where the metric is not defined', { metric: 'roc_auc' }, false, undefined],
    ['judges a slice by name', { limit: 0.65, slice: 'a' }, false, 0.6],
    ['judges the lowest value as the worst slice', { limit: 0.65, slice: 'worst' }, false, 0.6],
    ['judges the highest error as the worst slice', { metric: 'rmse', limit: 25, slice: 'worst' }, true, 20],
    ['does not judge a slice with too few rows', { limit: 1, slice: 'tiny' }, true, undefined],
    ['fails on a slice without rows', { slice: 'gone' }, false, undefined],
    ['fails on a slice that does not define the metric', { slice: 'undefined' }, false, undefined],
    ['passes when no slice defines the metric', { metric: 'roc_auc', slice: 'worst' }, true, undefined],
  ])('%s', (_, part, passed, observed) => {
    const outcome = decide(bound(part));
    expect(outcome).toMatchObject({ passed });
    expect(outcome.observed).toBe(observed);
  });

  it('says what was found where', () => {
    expect(decide(bound({ limit: 0.65, slice: 'worst' }))).toMatchObject({
      slice: 'a',
      reason: '0.6 on a is below 0.65',
    });
    expect(decide(bound({ limit: 1, slice: 'tiny' })).reason).toBe('not judged: 3 rows, 30 are needed');
  });
});

describe('a comparison with the champion', () => {
  const compared: ChampionFacts = {
    kind: 'compared',
    reference: 'flights/2',
    metrics: { rmse: 9.5, f1: 0.78 },
    differences: {
      rmse: { value: 0.5, interval: interval(-0.2, 1.2) },
      f1: { value: 0.02, interval: interval(-0.01, 0.05) },
    },
  };
  const against = (part: Partial<ChampionGate>): ChampionGate => ({
    kind: 'champion',
    path: '',
    metric: 'f1',
    greaterIsBetter: part.metric !== 'rmse',
    rule: 'max_regression',
    limit: 0,
    on: 'value',
    ...part,
  });

  it.each<[string, Partial<ChampionGate>, boolean, number]>([
    ['passes a better model', {}, true, -0.02],
    ['passes a model that is worse by exactly the limit', { metric: 'rmse', limit: 0.5 }, true, 0.5],
    ['fails a model that is worse by more', { metric: 'rmse', limit: 0.49 }, false, 0.5],
    ['demands an improvement', { rule: 'min_improvement', limit: 0.02 }, true, 0.02],
    ['fails too small an improvement', { rule: 'min_improvement', limit: 0.03 }, false, 0.02],
    [
      'counts a regression as no improvement',
      { metric: 'rmse', rule: 'min_improvement', limit: 0 },
      false,
      -0.5,
    ],
    ['takes the worse end of the interval (more is better)', { on: 'ci_bound', limit: 0.005 }, false, 0.01],
    [
      'takes the worse end of the interval (less is better)',
      { metric: 'rmse', on: 'ci_bound', limit: 1.2 },
      true,
      1.2,
    ],
  ])('%s', (_, part, passed, observed) => {
    const outcome = decide(against(part), compared);
    expect(outcome.passed).toBe(passed);
    expect(outcome.observed).toBeCloseTo(observed, 12);
    expect(outcome.champion).toBe(part.metric === 'rmse' ? 9.5 : 0.78);
  });

  it('passes without a champion, and says so', () => {
    expect(decide(against({ rule: 'min_improvement', limit: 1 }))).toMatchObject({
      passed: true,
      reason: 'no champion',
    });
  });

  it('fails when the champion cannot be measured', () => {
    const outcome = decide(against({}), {
      kind: 'not_comparable',
      reference: 'flights/2',
      reason: 'no column "x"',
    });
    expect(outcome).toMatchObject({ passed: false, reason: 'flights/2 cannot be compared: no column "x"' });
  });

  it('fails on a metric that one of the models does not define', () => {
    expect(decide(against({ metric: 'roc_auc' }), compared).passed).toBe(false);
  });
});

describe('the verdict', () => {
  const pass = decide(bound({ limit: 0.1 }));
  const fail = decide(bound({ limit: 0.9 }));
  it.each([
    ['UNKNOWN', []],
    ['VALIDATED', [pass, pass]],
    ['REJECTED', [pass, fail]],
  ] as const)('is %s', (verdict, outcomes) => {
    expect(verdictOf(outcomes)).toBe(verdict);
  });
});

describe('a criterion on a metric that did not come out', () => {
  const cost = { name: 'cost', function: 'cost_of_errors', greaterIsBetter: false };

  it('is an error that names the function of the recipe, and what came', () => {
    const check = () =>
      requireProduced(
        [bound({ metric: 'cost', path: 'steps.evaluate.validation_criteria[1]' })],
        facts.metrics,
        [cost],
      );
    expect(check).toThrow(
      'steps.evaluate.validation_criteria[1].metric: the function "cost_of_errors" of custom_metrics gave no finite number for "cost"',
    );
    expect(check).toThrow(
      expect.objectContaining({
        hint: 'These came: rmse, f1, bias. Custom metrics of the recipe: cost (cost_of_errors).',
      }),
    );
  });

  it('is an error also for a metric of the task', () => {
    expect(() => requireProduced([bound({ metric: 'roc_auc' })], facts.metrics, [])).toThrow(
      '"roc_auc" cannot be computed of this model\'s predictions for the test rows',
    );
  });

  it('is left to the gates where it is on a slice', () => {
    expect(() =>
      requireProduced([bound({ metric: 'cost', slice: 'a' })], facts.metrics, [cost]),
    ).not.toThrow();
  });
});
