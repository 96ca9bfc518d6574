import { MillraceError } from '@millrace/errors';
import { describe, expect, it } from 'vitest';
import { computeMetrics, metricTable, primaryMetricOf, type TaskDefinition, TaskType } from '../src/index.ts';
import { agree, fixture, predictionOf, taskOf } from './fixture.ts';

const binary: TaskDefinition = { type: TaskType.binary, classes: ['no', 'yes'], positiveClass: 'yes' };

describe('metrics equal scikit-learn', () => {
  for (const given of fixture.cases) {
    it(`${given.task}: ${given.name}`, () => {
      const found = computeMetrics(
        taskOf(given),
        given.target,
        predictionOf(given),
        given.weights ?? undefined,
      );
      expect(Object.keys(found).sort()).toEqual(Object.keys(given.expected).sort());
      for (const [name, wanted] of Object.entries(given.expected)) {
        expect(agree(found[name], wanted), `${name}: ${found[name]} should be ${wanted}`).toBe(true);
      }
    });
  }
});

describe('the metric table', () => {
  it('names every metric computed and computes every metric named', () => {
    for (const task of Object.values(TaskType)) {
      const random = fixture.cases.find((given) => given.task === task && given.name === 'random')!;
      const computed = computeMetrics(taskOf(random), random.target, predictionOf(random));
      expect(Object.keys(computed).sort()).toEqual(metricTable[task].map(({ name }) => name).sort());
    }
  });

  it('ranks by RMSE, F1 and macro F1 unless told otherwise', () => {
    expect(Object.values(TaskType).map(primaryMetricOf)).toEqual([
      'root_mean_squared_error',
      'f1_score',
      'f1_score_macro',
    ]);
  });
});

describe('labels', () => {
  it('counts with respect to the positive class wherever it stands among the classes', () => {
    const reversed: TaskDefinition = { ...binary, classes: ['yes', 'no'] };
    const target = ['yes', 'no', 'yes', 'no'];
    const values = ['yes', 'yes', 'yes', 'no'];
    const straight = computeMetrics(binary, target, {
      values,
      probabilities: [0.1, 0.9, 0.4, 0.6, 0.2, 0.8, 0.7, 0.3],
    });
    const turned = computeMetrics(reversed, target, {
      values,
      probabilities: [0.9, 0.1, 0.6, 0.4, 0.8, 0.2, 0.3, 0.7],
    });
    expect(turned).toEqual(straight);
    expect(straight).toMatchObject({ true_positives: 2, false_positives: 1, true_negatives: 1, roc_auc: 1 });
  });

  it('leaves out what needs probabilities when there are none', () => {
    const found = computeMetrics(binary, ['yes', 'no'], { values: ['yes', 'yes'] });
    const needing = metricTable[TaskType.binary].filter(({ needsProbabilities }) => needsProbabilities);
    for (const { name } of needing) expect(found).not.toHaveProperty(name);
    expect(found['accuracy_score']).toBe(0.5);
  });
});

describe('bad input is refused by the name of the element', () => {
  const regression: TaskDefinition = { type: TaskType.regression };
  const refusals: readonly [string, () => unknown, string][] = [
    ['no rows', () => computeMetrics(regression, [], { values: [] }), 'target'],
    ['a missing target', () => computeMetrics(regression, [1, null], { values: [1, 2] }), 'target[1]'],
    [
      'a NaN prediction',
      () => computeMetrics(regression, [1, 2], { values: [Number.NaN, 2] }),
      'prediction[0]',
    ],
    [
      'an infinite prediction',
      () => computeMetrics(regression, [1], { values: [Infinity] }),
      'prediction[0]',
    ],
    ['different lengths', () => computeMetrics(regression, [1, 2], { values: [1] }), 'prediction'],
    ['an unknown label', () => computeMetrics(binary, ['maybe'], { values: ['no'] }), 'target[0]'],
    [
      'a NaN probability',
      () => computeMetrics(binary, ['no'], { values: ['no'], probabilities: [1, Number.NaN] }),
      'prediction.probabilities[0][1]',
    ],
    [
      'too few probabilities',
      () => computeMetrics(binary, ['no'], { values: ['no'], probabilities: [1] }),
      'prediction.probabilities',
    ],
    [
      'a negative weight',
      () => computeMetrics(regression, [1, 2], { values: [1, 2] }, [1, -1]),
      'weights[1]',
    ],
    ['weights of zero', () => computeMetrics(regression, [1, 2], { values: [1, 2] }, [0, 0]), 'weights'],
    [
      'a positive class that is none',
      () => computeMetrics({ ...binary, positiveClass: 'on' }, ['no'], { values: ['no'] }),
      'positive_class',
    ],
  ];
  for (const [what, act, path] of refusals) {
    it(what, () => {
      try {
        act();
      } catch (error) {
        expect(error).toBeInstanceOf(MillraceError);
        expect((error as MillraceError).violations[0]?.path).toBe(path);
        return;
      }
      expect.unreachable('it was accepted');
    });
  }
});
