import { describe, expect, it } from 'vitest';
import {
  applyTransform,
  autoTransform,
  estimatorNamed,
  examplesOf,
  type FitStep,
  fitTransform,
  resolveParams,
  withoutColumns,
} from '../src/index.ts';
import { people } from './people.ts';

const prepare = (seed: number) => {
  const { features, target } = examplesOf(
    withoutColumns(people(400, seed), ['level', 'wealthy']),
    'income',
    'regression',
  );
  return { features, target };
};

const estimator = estimatorNamed('trees/gradient_boosting', 'regression', 'using');
const train = prepare(1);
const state = fitTransform(autoTransform, train.features);
const features = applyTransform(state, train.features);
const other = prepare(2);
const validation = { features: applyTransform(state, other.features), target: other.target };

const fit = async (given: Record<string, unknown>, seed = 1, stopAt = Number.POSITIVE_INFINITY) => {
  const steps: FitStep[] = [];
  const model = await estimator.fit({
    features,
    target: train.target,
    params: resolveParams(estimator.parameters, given, 'params'),
    seed,
    validation,
    onStep: async (step) => {
      steps.push(step);
      return step.step >= stopAt ? 'stop' : 'continue';
    },
  });
  const { rounds } = JSON.parse(new TextDecoder().decode(model.files.get('trees.json')));
  return { model, steps, rounds: rounds.length as number };
};

describe('trees/gradient_boosting', () => {
  it('lowers the training loss with every round and reports both losses', async () => {
    const { steps } = await fit({ max_iter: 30 });
    expect(steps).toHaveLength(30);
    steps.slice(1).forEach((step, index) => {
      expect(step.trainingLoss).toBeLessThan(steps[index]?.trainingLoss ?? 0);
    });
    expect(steps.at(-1)?.validationLoss).toBeLessThan((steps[0]?.validationLoss ?? 0) / 10);
  });

  it('keeps the rounds up to the best validation loss when it stops early', async () => {
    const { steps, rounds } = await fit({ max_iter: 500, learning_rate: 0.5, early_stopping_rounds: 5 });
    const losses = steps.map(({ validationLoss }) => validationLoss ?? 0);
    expect(steps.length).toBeLessThan(500);
    expect(rounds).toBe(losses.indexOf(Math.min(...losses)) + 1);
  });

  it('ends when it is told to', async () => {
    expect((await fit({}, 1, 7)).rounds).toBe(7);
  });

  it('samples rows and columns by its seed', async () => {
    const predict = async (seed: number) => {
      const { model } = await fit({ max_iter: 10, subsample: 0.5, colsample: 0.5 }, seed);
      return model.predict(validation.features);
    };
    expect(await predict(1)).toEqual(await predict(1));
    expect(await predict(1)).not.toEqual(await predict(2));
  });

  it('refuses parameters out of bounds, all at once', () => {
    expect(() =>
      resolveParams(estimator.parameters, { max_iter: 0, learning_rate: -1, depth: 3 }, 'params'),
    ).toThrow(
      'params.depth: is not a parameter of this estimator; params.max_iter: must be at least 1, found 0; params.learning_rate: must be above 0, found -1',
    );
  });
});
