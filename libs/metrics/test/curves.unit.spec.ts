import { describe, expect, it } from 'vitest';
import {
  type ClassificationObservations,
  calibrationCurve,
  confusionMatrix,
  liftCurve,
  observe,
  type RegressionObservations,
  residualSummary,
  TaskType,
  thin,
  thresholdCurve,
  worstPredictions,
} from '../src/index.ts';
import { agree, caseNamed, fixture, predictionOf, taskOf } from './fixture.ts';

const observationsOf = (task: TaskType, name: string) => {
  const given = caseNamed(task, name);
  return observe(taskOf(given), given.target, predictionOf(given));
};
const tied = observationsOf(TaskType.binary, 'ties in the scores') as ClassificationObservations;
const random = observationsOf(TaskType.binary, 'random') as ClassificationObservations;

const expectAgree = (found: readonly number[], wanted: readonly number[]) => {
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, index) => {
    expect(agree(value, wanted[index]!), `[${index}] ${value} should be ${wanted[index]}`).toBe(true);
  });
};

describe('threshold curves', () => {
  const points = thresholdCurve(tied);

  it('are the ROC curve of scikit-learn', () => {
    const { roc } = fixture.curves;
    expectAgree(
      points.map((point) => point.falsePositiveRate),
      roc.falsePositiveRate,
    );
    expectAgree(
      points.map((point) => point.truePositiveRate),
      roc.truePositiveRate,
    );
    expectAgree(
      points.slice(1).map((point) => point.threshold),
      roc.thresholds,
    );
  });

  it('are the precision-recall curve of scikit-learn, which runs the other way', () => {
    const { precision, recall } = fixture.curves.precisionRecall;
    expectAgree(points.map((point) => point.precision).toReversed(), precision);
    expectAgree(points.map((point) => point.truePositiveRate).toReversed(), recall);
  });

  it('give a lift that ends at 1 with all rows taken', () => {
    expect(liftCurve(points).at(-1)).toEqual({ share: 1, lift: 1 });
    expect(liftCurve(points)[0]!.lift).toBeGreaterThan(1);
  });

  it('are refused without probabilities or with one class', () => {
    const { probabilities: _, ...without } = random;
    expect(() => thresholdCurve(without)).toThrow('probabilities');
    const only = observationsOf(TaskType.binary, 'only negatives') as ClassificationObservations;
    expect(() => thresholdCurve(only)).toThrow('inside and outside');
  });

  it('thin to the number of points asked, both ends kept', () => {
    const many = Array.from({ length: 1001 }, (_, index) => index);
    const few = thin(many, 11);
    expect(few).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
    expect(thin(few, 50)).toBe(few);
  });
});

describe('the calibration curve', () => {
  it('is that of scikit-learn', () => {
    const found = calibrationCurve(random);
    expectAgree(
      found.map(({ observed }) => observed),
      fixture.curves.calibration.observed,
    );
    expectAgree(
      found.map(({ confidence }) => confidence),
      fixture.curves.calibration.confidence,
    );
    expect(found.reduce((sum, { count }) => sum + count, 0)).toBe(random.rowCount);
  });
});

describe('the confusion matrix', () => {
  it('has targets in rows and predictions in columns', () => {
    const matrix = confusionMatrix(
      observe(
        { type: TaskType.multiclass },
        ['a', 'a', 'b', 'c'],
        { kind: 'classification', classes: ['a', 'b', 'c'], labels: ['a', 'b', 'b', 'b'] },
        [1, 1, 1, 2],
      ) as ClassificationObservations,
    );
    expect(matrix.counts).toEqual([
      [1, 1, 0],
      [0, 1, 0],
      [0, 2, 0],
    ]);
    expect(matrix.perClass[1]).toEqual({ precision: 0.25, recall: 1, f1: 0.4, support: 1, predicted: 4 });
  });
});

describe('residuals', () => {
  const summarise = (target: readonly number[], values: readonly number[], bins?: number) =>
    residualSummary(
      observe({ type: TaskType.regression }, target, {
        kind: 'regression',
        values,
      }) as RegressionObservations,
      bins,
    );

  it('are summarised by quantiles and a histogram that holds every row', () => {
    const found = summarise([1, 2, 3, 4, 10], [0, 0, 0, 0, 0], 3);
    expect(found.mean).toBe(4);
    expect(found.standardDeviation).toBeCloseTo(Math.sqrt(10), 12);
    expectAgree(
      found.quantiles.map(({ value }) => value),
      [1, 1.2, 2, 3, 4, 8.8, 10],
    );
    expect(found.histogram.map(({ count }) => count)).toEqual([3, 1, 1]);
  });

  it('that are all equal fall into one bin', () => {
    expect(summarise([1, 2], [0, 1]).histogram).toEqual([{ from: 1, to: 1, count: 2 }]);
  });
});

describe('the worst predictions', () => {
  it('of a regression are those with the largest absolute error, ties by row', () => {
    const observations = observe({ type: TaskType.regression }, [1, 2, 3, 4], {
      kind: 'regression',
      values: [1, 4, 1, 4.5],
    });
    expect(worstPredictions(observations, 3)).toEqual([
      { row: 1, error: 2 },
      { row: 2, error: 2 },
      { row: 3, error: 0.5 },
    ]);
  });

  it('of a classification give the least probability to the true class', () => {
    const observations = observe({ type: TaskType.binary, positiveClass: '1' }, [1, 0, 1], {
      kind: 'classification',
      classes: ['0', '1'],
      labels: ['1', '1', '1'],
      probabilities: [
        [0.5, 0.5],
        [0.25, 0.75],
        [0, 1],
      ],
    });
    expect(worstPredictions(observations)).toEqual([
      { row: 1, error: 0.75 },
      { row: 0, error: 0.5 },
    ]);
  });
});
