/**
 * What a project's own step functions look like in TypeScript. A project imports nothing of ours: these types
 * say what its plain functions are given and what they are to return.
 *
 * `steps/train.ts` exports the function that the recipe names in `train.estimator_method`; called with the
 * parameters, it returns a `UserEstimator`. `steps/transform.ts` exports `transform.transformer_method`, which
 * returns a `UserTransform`. `steps/custom_metrics.ts` exports one function per custom metric, `(table:
 * MetricTable, builtIn: Record<string, number>) => number`. All of them run in a child process of their own,
 * in training and in serving.
 */

/** Columns by name, all of one length; timestamps are epoch milliseconds. Copies: they may be changed. */
export type Columns = Record<string, (number | string | boolean | null)[]>;

export type TargetValues = (number | string | boolean)[];

/** What is learnt in `fit` and given back in `predict`: JSON, or bytes. */
export type UserState = unknown;

export interface UserFitInput {
  readonly features: Columns;
  readonly target: TargetValues;
  readonly task: 'regression' | 'classification';
  /** Classification: every class as text, in ascending order. */
  readonly classes?: readonly string[];
  readonly params: Readonly<Record<string, unknown>>;
  readonly seed: number;
  /** A line for the step's log. */
  log(message: string): void;
}

export interface UserPredictInput {
  readonly state: UserState;
  readonly features: Columns;
  readonly task: 'regression' | 'classification';
  readonly classes?: readonly string[];
}

/** Numbers for regression; for classification labels, or probabilities in the order of `classes`. */
export type UserPrediction =
  | readonly number[]
  | readonly (string | number | boolean)[]
  | {
      readonly probabilities: readonly (readonly number[])[];
      readonly classes: readonly (string | number | boolean)[];
    };

export interface UserEstimator {
  fit(input: UserFitInput): UserState | Promise<UserState>;
  predict(input: UserPredictInput): UserPrediction | Promise<UserPrediction>;
}

export interface UserTransform {
  fit(input: { readonly features: Columns; readonly target: TargetValues }): UserState | Promise<UserState>;
  /** Any columns, as many rows as it was given, in their order. */
  transform(input: { readonly state: UserState; readonly features: Columns }): Columns | Promise<Columns>;
}

/** What a custom metric is computed from: columns of equal length. */
export interface MetricTable {
  readonly target: readonly (number | string | boolean)[];
  /** Numbers, or labels in the target's own type. */
  readonly prediction: readonly (number | string | boolean)[];
  /** Classification: `probabilities[row][class]` in the order of `classes`. */
  readonly probabilities?: readonly (readonly number[])[];
  readonly classes?: readonly string[];
}
