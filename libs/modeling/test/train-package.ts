import type { Table } from '@millrace/tabular';
import {
  applyTransform,
  autoTransform,
  buildPackage,
  estimatorNamed,
  examplesOf,
  fitTransform,
  inferSignature,
  type PackageFiles,
  resolveParams,
  type Task,
  withoutColumns,
} from '../src/index.ts';
import { columnOf } from '../src/table-access.ts';

export const targets = ['income', 'level', 'wealthy'];

/** The whole way from a table to the files of a model package. */
export const trainPackage = async (
  table: Table,
  task: Task,
  target: string,
  using: string,
  params: Record<string, unknown> = {},
  seed = 42,
): Promise<PackageFiles> => {
  const data = withoutColumns(
    table,
    targets.filter((name) => name !== target),
  );
  const examples = examplesOf(data, target, task);
  const state = fitTransform(autoTransform, examples.features);
  const estimator = estimatorNamed(using, task, 'using');
  const resolved = resolveParams(estimator.parameters, params, 'params');
  const model = await estimator.fit({
    features: applyTransform(state, examples.features),
    target: examples.target,
    params: resolved,
    seed,
  });
  const files = buildPackage({
    signature: inferSignature(
      examples.features,
      state.inputs.map(({ name }) => name),
      { name: target, type: columnOf(data, target, 'target').type, values: examples.target },
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
