import { type Target, takeRows } from '@millrace/modeling';
import { createRandom } from '@millrace/random';
import type { PreparedData } from './prepared-data.ts';

/** A seeded sample of the training rows, without replacement; the validation rows stay whole. */
export const sampleTrain = (data: PreparedData, fraction: number, seed: number): PreparedData => {
  if (fraction >= 1) return data;
  const random = createRandom(seed).derive('sample');
  const rows = data.train.labels.flatMap((_label, row) => (random.uniform() < fraction ? [row] : []));
  return {
    ...data,
    train: {
      features: takeRows(data.train.features, rows),
      labels: rows.map((row) => data.train.labels[row] ?? ''),
    },
    trainTarget: takeTarget(data.trainTarget, rows),
  };
};

const takeTarget = (target: Target, rows: readonly number[]): Target =>
  target.kind === 'regression'
    ? { kind: 'regression', values: rows.map((row) => target.values[row] ?? 0) }
    : { ...target, indices: rows.map((row) => target.indices[row] ?? 0) };
