import { describe, expect, it } from 'vitest';
import { buildPackage, inferSignature, loadPredictor, manifestOf, type PackageFiles } from '../src/index.ts';
import type { PackagedEstimator, PackagedTransform } from '../src/package/model-definition.ts';
import { takeRows, withoutColumns } from '../src/table-access.ts';
import { examplesOf } from '../src/target.ts';
import { people } from './people.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

const transformCode = `
export const ageOnly = () => ({
  fit: ({ features }: { features: Record<string, number[]> }) => ({ oldest: Math.max(...features.age) }),
  transform: ({ state, features }: { state: { oldest: number }; features: Record<string, number[]> }) => ({
    age: features.age.map((age) => age / state.oldest),
  }),
});
`;

const trainCode = `
import { scale } from './helper.ts';
export const perYear = (params: { factor: number }) => ({
  fit: () => ({ slope: 100 }),
  predict: ({ state, features }: { state: { slope: number }; features: { age: number[] } }) => {
    if (features.age.includes(-1)) throw new Error('negative age');
    return features.age.map((age) => scale(age, state.slope * params.factor));
  },
});
`;

const table = people(20);

const packageOf = (transform: PackagedTransform, estimator: PackagedEstimator): PackageFiles => {
  const { features, target } = examplesOf(
    withoutColumns(table, ['level', 'wealthy']),
    'income',
    'regression',
  );
  return buildPackage({
    signature: inferSignature(features, ['age'], { name: 'income', type: 'number', values: target }),
    transform,
    estimator,
    transformFiles: new Map([['state.json', bytes('{"oldest":50}')]]),
    modelFiles: new Map([['state.json', bytes('{"slope":100}')]]),
    code: new Map([
      ['steps/transform.ts', bytes(transformCode)],
      ['steps/train.ts', bytes(trainCode)],
      ['steps/helper.ts', bytes('export const scale = (value: number, by: number): number => value * by;\n')],
    ]),
    features,
    environment: { node: '24.0.0', platform: 'linux-x64', packages: {}, lockDigest: '' },
  });
};

const userTransform: PackagedTransform = {
  kind: 'typescript',
  function: { file: 'steps/transform.ts', export: 'ageOnly' },
  stateFile: 'state.json',
};
const userEstimator = (name = 'perYear'): PackagedEstimator => ({
  kind: 'typescript',
  function: { file: 'steps/train.ts', export: name },
  stateFile: 'state.json',
  params: { factor: 2 },
});

describe('a package with user code', () => {
  it('predicts through the user’s transform and estimator in a child process', async () => {
    const predictor = await loadPredictor(packageOf(userTransform, userEstimator()));
    const prediction = await predictor.predict([{ age: 25 }, { age: 50 }]);
    expect(prediction).toEqual({ kind: 'regression', values: [100, 200] });
    await predictor.close();
  });

  it('names file and line when the user’s code throws, and goes on with the next call', async () => {
    const predictor = await loadPredictor(packageOf({ kind: 'none' }, userEstimator()));
    await expect(predictor.predict([{ age: -1 }])).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^steps\/train\.ts:6:\d+: negative age$/),
    });
    expect(await predictor.predict(takeRows(table, [0]))).toMatchObject({ kind: 'regression' });
    await predictor.close();
  });

  it('says which functions there are when the named one is missing', async () => {
    const predictor = await loadPredictor(packageOf({ kind: 'none' }, userEstimator('perMonth')));
    await expect(predictor.predict([{ age: 1 }])).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('steps/train.ts exports no function "perMonth"'),
      hint: 'It exports: perYear.',
    });
    await predictor.close();
  });

  it('is another model when its code changes', () => {
    const digest = (estimator: PackagedEstimator) =>
      manifestOf(packageOf({ kind: 'none' }, estimator)).digest;
    expect(digest(userEstimator())).toBe(digest(userEstimator()));
    expect(digest(userEstimator('other'))).not.toBe(digest(userEstimator()));
  });
});
