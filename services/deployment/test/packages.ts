import { buildPackage, examplesOf, inferSignature, type PackageFiles, type Task } from '@millrace/modeling';
import { trainPackage } from '@millrace/modeling/testing';
import type { Table } from '@millrace/tabular';

const trips = (target: readonly (number | string)[], task: Task = 'regression'): Table => ({
  rowCount: target.length,
  columns: [
    { name: 'distance', type: 'number', values: target.map((_, row) => 100 * (row + 1)) },
    { name: 'city', type: 'string', values: target.map((_, row) => ['Bern', 'Graz', 'Oslo'][row % 3] ?? '') },
    typeof target[0] === 'string'
      ? { name: 'late', type: 'string', values: target as string[] }
      : { name: 'late', type: task === 'regression' ? 'number' : 'integer', values: target as number[] },
  ],
});

const train = (table: Table, task: Task, using: string): Promise<PackageFiles> =>
  trainPackage({ table, task, target: 'late', using });

/** Answers one number to everything: who answered a request can be seen from the answer. */
export const constantModel = (value: number): Promise<PackageFiles> =>
  train(trips([value, value, value]), 'regression', 'baseline/mean');

/** Long trips are late: the second class. */
export const classifier = <T extends number | string>(no: T, yes: T): Promise<PackageFiles> => {
  const target = Array.from({ length: 60 }, (_, row) => (row < 30 ? no : yes));
  return train(trips(target, 'classification'), 'classification', 'linear/logistic');
};

const bytes = (text: string) => new TextEncoder().encode(text);

/** A model that answers each row with what this code returns for its `distance`. Runs in a child process. */
export const codeModel = (answer: string): PackageFiles => {
  const { features, target } = examplesOf(trips([1, 2, 3]), 'late', 'regression');
  const code = `export const model = () => ({
    fit: () => ({}),
    predict: ({ features }) => features.distance.map((distance) => { ${answer} }),
  });`;
  return buildPackage({
    signature: inferSignature(features, ['distance', 'city'], {
      name: 'late',
      type: 'number',
      values: target,
    }),
    transform: { kind: 'none' },
    estimator: {
      kind: 'typescript',
      function: { file: 'steps/train.ts', export: 'model' },
      stateFile: 'state.json',
      params: {},
    },
    modelFiles: new Map([['state.json', bytes('{}')]]),
    code: new Map([['steps/train.ts', bytes(code)]]),
    features,
    environment: { node: '24.0.0', platform: 'linux-x64', packages: {}, lockDigest: '' },
  });
};
