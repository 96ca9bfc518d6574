import type { Table } from '@millrace/tabular';
import {
  applyTransform,
  autoTransform,
  buildPackage,
  columnOf,
  estimatorNamed,
  examplesOf,
  fitTransform,
  inferSignature,
  type PackageFiles,
  resolveParams,
  type Task,
} from '../index.ts';

export interface TrainOptions {
  readonly table: Table;
  readonly task: Task;
  readonly target: string;
  readonly using: string;
  readonly params?: Record<string, unknown>;
}

/** For tests: the whole way from a table to the files of a model package, with the `auto` transform. */
export const trainPackage = async ({
  table,
  task,
  target,
  using,
  params = {},
}: TrainOptions): Promise<PackageFiles> => {
  const examples = examplesOf(table, target, task);
  const state = fitTransform(autoTransform, examples.features);
  const estimator = estimatorNamed(using, task, 'using');
  const resolved = resolveParams(estimator.parameters, params, 'params');
  const model = await estimator.fit({
    features: applyTransform(state, examples.features),
    target: examples.target,
    params: resolved,
    seed: 42,
  });
  const files = buildPackage({
    signature: inferSignature(
      examples.features,
      state.inputs.map(({ name }) => name),
      { name: target, type: columnOf(table, target, 'target').type, values: examples.target },
    ),
    transform: { kind: 'builtin', state },
    estimator: { kind: 'builtin', name: using, params: resolved },
    modelFiles: model.files,
    features: examples.features,
    environment: { node: '24.0.0', platform: 'linux-x64', packages: {}, lockDigest: '' },
  });
  model.close();
  return files;
};
