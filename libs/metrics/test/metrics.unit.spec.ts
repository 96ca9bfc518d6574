import { MillraceError } from '@millrace/errors';
import { describe, expect, it } from 'vitest';
import {
  computeMetrics,
  metricTable,
  type Prediction,
  primaryMetricOf,
  type TaskDefinition,
  TaskType,
} from '../src/index.ts';
import { agree, fixture, predictionOf, taskOf } from './fixture.ts';

const regression: TaskDefinition = { type: TaskType.regression };
const binary: TaskDefinition = { type: TaskType.binary, positiveClass: 'yes' };
const multiclass: TaskDefinition = { type: TaskType.multiclass };

const numbers = (...values: number[]): Prediction => ({ kind: 'regression', values });
const labelled = (
  labels: readonly string[],
  probabilities?: readonly (readonly number[])[],
  classes: readonly string[] = ['no', 'yes'],
): Prediction => ({ kind: 'classification', classes, labels, ...(probabilities ? { probabilities } : {}) });

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
    const target = ['yes', 'no', 'yes', 'no'];
    const labels = ['yes', 'yes', 'yes', 'no'];
    const rows = [
      [0.1, 0.9],
      [0.4, 0.6],
      [0.2, 0.8],
      [0.7, 0.3],
    ];
    const turned = rows.map((row) => row.toReversed());
    const straight = computeMetrics(binary, target, labelled(labels, rows));
    expect(computeMetrics(binary, target, labelled(labels, turned, ['yes', 'no']))).toEqual(straight);
    expect(straight).toMatchObject({ true_positives: 2, false_positives: 1, true_negatives: 1, roc_auc: 1 });
  });

  it('leaves out what needs probabilities when there are none', () => {
    const found = computeMetrics(binary, ['yes', 'no'], labelled(['yes', 'yes']));
    const needing = metricTable[TaskType.binary].filter(({ needsProbabilities }) => needsProbabilities);
    for (const { name } of needing) expect(found).not.toHaveProperty(name);
    expect(found.accuracy_score).toBe(0.5);
  });

  it('counts a class that the model never learned as missed', () => {
    const prediction = labelled(
      ['a', 'b', 'b'],
      [
        [0.9, 0.1],
        [0.2, 0.8],
        [0.3, 0.7],
      ],
      ['a', 'b'],
    );
    const found = computeMetrics(multiclass, ['a', 'b', 'c'], prediction);
    expect(found.accuracy_score).toBeCloseTo(2 / 3, 12);
    expect(found.log_loss).toBeCloseTo(-(Math.log(0.9) + Math.log(0.8) + Math.log(Number.EPSILON)) / 3, 12);
  });

  it('takes numbers and booleans in the target for the texts of the classes', () => {
    const prediction = labelled(['true', 'false'], undefined, ['false', 'true']);
    const task: TaskDefinition = { type: TaskType.binary, positiveClass: true };
    expect(computeMetrics(task, [true, false], prediction).f1_score).toBe(1);
  });
});

describe('bad input is refused by the name of the element', () => {
  const refusals: readonly [string, () => unknown, string][] = [
    ['no rows', () => computeMetrics(regression, [], numbers()), 'target'],
    ['a missing target', () => computeMetrics(regression, [1, null], numbers(1, 2)), 'target[1]'],
    ['a NaN prediction', () => computeMetrics(regression, [1, 2], numbers(Number.NaN, 2)), 'prediction[0]'],
    ['an infinite prediction', () => computeMetrics(regression, [1], numbers(Infinity)), 'prediction[0]'],
    ['different lengths', () => computeMetrics(regression, [1, 2], numbers(1)), 'prediction'],
    ['labels for a regression', () => computeMetrics(regression, [1], labelled(['no'])), 'prediction'],
    ['numbers for a classification', () => computeMetrics(binary, ['no'], numbers(1)), 'prediction'],
    ['an unknown target label', () => computeMetrics(binary, ['maybe'], labelled(['no'])), 'target[0]'],
    [
      'an unknown predicted label',
      () => computeMetrics(multiclass, ['no'], labelled(['?'])),
      'prediction[0]',
    ],
    [
      'a NaN probability',
      () => computeMetrics(binary, ['no'], labelled(['no'], [[1, Number.NaN]])),
      'prediction.probabilities[0][1]',
    ],
    [
      'a row with too few probabilities',
      () => computeMetrics(binary, ['no'], labelled(['no'], [[1]])),
      'prediction.probabilities[0]',
    ],
    ['a negative weight', () => computeMetrics(regression, [1, 2], numbers(1, 2), [1, -1]), 'weights[1]'],
    ['weights of zero', () => computeMetrics(regression, [1, 2], numbers(1, 2), [0, 0]), 'weights'],
    [
      'a positive class that is none',
      () => computeMetrics({ ...binary, positiveClass: 'on' }, ['no'], labelled(['no'])),
      'positive_class',
    ],
    [
      'three classes in a binary task',
      () => computeMetrics(binary, ['no'], labelled(['no'], undefined, ['a', 'no', 'yes'])),
      'classes',
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
