import { readFileSync } from 'node:fs';
import { type Prediction, type TaskDefinition, TaskType } from '../src/index.ts';

export interface Case {
  readonly name: string;
  readonly task: TaskType;
  readonly classes?: number;
  readonly target: readonly number[];
  readonly prediction: readonly number[];
  /** Row after row. */
  readonly probabilities?: readonly number[];
  readonly weights: readonly number[] | null;
  readonly expected: Readonly<Record<string, number>>;
}

type Interval = readonly [number, number];

/** What scikit-learn, scipy and numpy computed; see `reference/make_fixture.py`. */
export interface Fixture {
  readonly cases: readonly Case[];
  readonly bootstrap: {
    readonly seed: number;
    readonly resamples: number;
    readonly regression: Readonly<Record<string, Interval>>;
    readonly binary: Readonly<Record<string, Interval>>;
    readonly paired: { readonly champion: readonly number[]; readonly root_mean_squared_error: Interval };
  };
  readonly curves: {
    readonly scores: readonly number[];
    readonly roc: Readonly<
      Record<'falsePositiveRate' | 'truePositiveRate' | 'thresholds', readonly number[]>
    >;
    readonly precisionRecall: Readonly<Record<'precision' | 'recall' | 'thresholds', readonly number[]>>;
    readonly calibration: Readonly<Record<'observed' | 'confidence', readonly number[]>>;
  };
  readonly wilson: readonly Readonly<Record<'successes' | 'trials' | 'lower' | 'upper', number>>[];
}

export const fixture: Fixture = JSON.parse(
  readFileSync(new URL('./reference/metrics.json', import.meta.url), 'utf8'),
);

export const caseNamed = (task: TaskType, name: string): Case => {
  const found = fixture.cases.find((candidate) => candidate.task === task && candidate.name === name);
  if (found === undefined) throw new Error(`no case "${name}" of ${task}`);
  return found;
};

export const taskOf = ({ task }: Case): TaskDefinition =>
  task === TaskType.binary ? { type: task, positiveClass: 1 } : { type: task };

export const predictionOf = ({ task, classes = 2, prediction, probabilities }: Case): Prediction => {
  if (task === TaskType.regression) return { kind: 'regression', values: prediction };
  return {
    kind: 'classification',
    classes: Array.from({ length: classes }, (_, index) => String(index)),
    labels: prediction.map(String),
    ...(probabilities === undefined
      ? {}
      : {
          probabilities: prediction.map((_, row) => probabilities.slice(row * classes, (row + 1) * classes)),
        }),
  };
};

/** Whether two numbers agree to a relative tolerance of 1e-12, absolute below 1. */
export const agree = (found: number | undefined, wanted: number, tolerance = 1e-12): boolean =>
  found !== undefined && Math.abs(found - wanted) <= tolerance * Math.max(1, Math.abs(wanted));
