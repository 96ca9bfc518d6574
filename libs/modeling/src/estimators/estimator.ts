import type { Table } from '@millrace/tabular';
import type { Prediction, Task } from '../prediction.ts';
import type { ParameterDefinitions, Params } from './parameters.ts';

/** What a model is to learn, one entry per row of the features. */
export type Target =
  | { readonly kind: 'regression'; readonly values: readonly number[] }
  /** `indices[row]` points into `classes`; see `ClassificationPrediction` for their order. */
  | {
      readonly kind: 'classification';
      readonly classes: readonly string[];
      readonly indices: readonly number[];
    };

/** A figure that an iterative estimator has after a step (a boosting round), lower is better. */
export interface FitStep {
  /** From 1. */
  readonly step: number;
  readonly steps: number;
  /** Loss on the training rows. */
  readonly trainingLoss: number;
  /** Loss on the validation rows, when there are any. */
  readonly validationLoss?: number;
}

export interface FitInput {
  /** Numbers, and text where the estimator says it takes text. */
  readonly features: Table;
  readonly target: Target;
  /** All parameters, as `resolveParams` returns them. */
  readonly params: Params;
  readonly seed: number;
  /** For estimators that watch their progress; never fitted on. */
  readonly validation?: { readonly features: Table; readonly target: Target };
  /** Awaited after each step; `stop` ends the fit with what there is. */
  readonly onStep?: (step: FitStep) => Promise<'continue' | 'stop'>;
}

/** A model that answers. `close` frees what it holds outside the JavaScript heap. */
export interface Model {
  /** Throws `Invalid` when a column that it was fitted on is missing or has the wrong type. */
  predict(features: Table): Prediction;
  close(): void;
}

/** A model just fitted, with the files that `load` makes it from again. Equal inputs give equal bytes. */
export interface FittedModel extends Model {
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface Estimator {
  /** As in a recipe's `using`: `linear/ridge`. */
  readonly name: string;
  /** Flavour of its models in `MLmodel`. */
  readonly flavor: 'millrace_ydf' | 'millrace_linear' | 'millrace_trees' | 'millrace_baseline';
  readonly tasks: readonly Task[];
  /** Whether text columns may be given as they are. */
  readonly takesText: boolean;
  readonly parameters: ParameterDefinitions;
  fit(input: FitInput): Promise<FittedModel>;
  load(files: ReadonlyMap<string, Uint8Array>): Promise<Model>;
}
