import type { Column, ColumnType, Table } from '@millrace/tabular';
import type { Target } from '../estimators/estimator.ts';
import { compare } from '../statistics.ts';
import { columnOf } from '../table-access.ts';

/** One raw feature as a caller gives it. */
export interface FeatureSignature {
  readonly name: string;
  readonly type: ColumnType;
  /** Whether the training split missed values: such a feature may be left out of a request. */
  readonly nullable: boolean;
  /** The values of a text feature with few of them; informative, other values are accepted. */
  readonly categories?: readonly string[];
}

/** What a model takes and gives. */
export interface Signature {
  readonly inputs: readonly FeatureSignature[];
  readonly output: {
    readonly task: 'regression' | 'classification';
    /** Name of the target column. */
    readonly name: string;
    readonly type: ColumnType;
    /** Classes as text, in the order of the probabilities. */
    readonly classes?: readonly string[];
  };
}

/** Beyond it, a text feature's values are not listed. */
const fewCategories = 50;

/** The signature of a model trained on these raw features (before any transform), restricted to `used`. */
export const inferSignature = (
  features: Table,
  used: readonly string[],
  target: { readonly name: string; readonly type: ColumnType; readonly values: Target },
): Signature => ({
  inputs: used.map((name) => featureSignature(columnOf(features, name, `features.${name}`))),
  output: {
    task: target.values.kind,
    name: target.name,
    type: target.values.kind === 'regression' ? 'number' : target.type,
    ...(target.values.kind === 'classification' ? { classes: target.values.classes } : {}),
  },
});

const featureSignature = (column: Column): FeatureSignature => {
  const nullable = (column.values as readonly unknown[]).includes(null);
  const base = { name: column.name, type: column.type, nullable };
  if (column.type !== 'string') return base;
  const categories = [...new Set(column.values)].filter((value) => value !== null);
  return categories.length > fewCategories ? base : { ...base, categories: categories.sort(compare) };
};

/** Column types in MLflow's words (https://mlflow.org/docs/latest/ml/model/signatures/). */
const mlflowTypes: Record<ColumnType, string> = {
  number: 'double',
  integer: 'long',
  boolean: 'boolean',
  string: 'string',
  timestamp: 'datetime',
};

/** The `signature` section of `MLmodel`. */
export const mlflowSignature = ({
  inputs,
  output,
}: Signature): { inputs: string; outputs: string; params: null } => ({
  inputs: JSON.stringify(
    inputs.map(({ name, type, nullable }) => ({ type: mlflowTypes[type], name, required: !nullable })),
  ),
  outputs: JSON.stringify([{ type: mlflowTypes[output.type], name: output.name, required: true }]),
  params: null,
});
