import { classification, type Prediction } from '../prediction.ts';
import { mean } from '../statistics.ts';
import type { Estimator, FitInput, FittedModel, Model } from './estimator.ts';
import { type Files, jsonFile, readJsonFile } from './files.ts';

/** The same answer for every row: what any model has to beat. */
type BaselineState =
  | { readonly kind: 'regression'; readonly value: number }
  | {
      readonly kind: 'classification';
      readonly classes: readonly string[];
      readonly probabilities: readonly number[];
    };

const file = 'baseline.json';

const modelOf = (state: BaselineState): Model => ({
  predict: ({ rowCount }): Prediction =>
    state.kind === 'regression'
      ? { kind: 'regression', values: Array<number>(rowCount).fill(state.value) }
      : classification(state.classes, Array<readonly number[]>(rowCount).fill(state.probabilities)),
  close: () => {},
});

const fitted = (state: BaselineState): FittedModel => ({
  ...modelOf(state),
  files: new Map([[file, jsonFile(state)]]),
});

const load = async (files: Files): Promise<Model> => modelOf(readJsonFile<BaselineState>(files, file));

const stateOf = ({ target }: FitInput): BaselineState => {
  if (target.kind === 'regression') return { kind: 'regression', value: mean(target.values) };
  const counts = target.classes.map(
    (_class, index) => target.indices.filter((value) => value === index).length,
  );
  return {
    kind: 'classification',
    classes: target.classes,
    probabilities: counts.map((count) => count / target.indices.length),
  };
};

const fit = async (input: FitInput): Promise<FittedModel> => fitted(stateOf(input));

/** Predicts the training mean. */
export const baselineMean: Estimator = {
  name: 'baseline/mean',
  flavor: 'millrace_baseline',
  tasks: ['regression'],
  takesText: true,
  parameters: {},
  fit,
  load,
};

/** Predicts the most frequent class, with the training frequencies as probabilities. */
export const baselineMajority: Estimator = {
  ...baselineMean,
  name: 'baseline/majority',
  tasks: ['classification'],
};
