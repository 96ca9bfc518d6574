import { Invalid } from '@millrace/errors';
import type { ColumnProfile, DatasetProfile } from '@millrace/tabular';
import type { Binding, DriftSettings } from './monitor.ts';
import type { Baseline } from './window-sketch.ts';

/** The column of a prediction profile that holds the predictions. */
export const predictionColumn = 'prediction';

/** Names predictions among the drift results; parentheses keep it apart from a feature called `prediction`. */
export const predictionFeature = '(prediction)';

const isWatchable = ({ type, count }: ColumnProfile): boolean => type !== 'timestamp' && count > 0;

/** @throws Invalid naming a feature that the profile lacks. */
export const checkFeatures = ({ features }: DriftSettings, profile: DatasetProfile): void => {
  const columns = new Set(profile.columns.map(({ name }) => name));
  const unknown = features.find((name) => !columns.has(name));
  if (unknown === undefined) return;
  throw Invalid.field('steps.monitor.drift.features', `the dataset has no column "${unknown}"`);
};

/** Features of the training data to watch, and what predictions are compared with. */
export const makeBaseline = (
  binding: Binding,
  { features }: DriftSettings,
  seed: number,
  profile: DatasetProfile,
  prediction: ColumnProfile | undefined,
): Baseline => {
  const columns = new Map(profile.columns.map((column) => [column.name, column]));
  const names =
    features.length > 0 ? features : [...columns.keys()].filter((name) => name !== binding.targetColumn);
  const watched = names.flatMap((name) => {
    const column = columns.get(name);
    return column !== undefined && isWatchable(column) ? [[name, column] as const] : [];
  });
  return {
    features: new Map(watched),
    ...(prediction === undefined ? {} : { prediction }),
    numericPrediction: binding.task.type === 'regression',
    seed,
  };
};
