import { Invalid } from '@millrace/errors';
import type { ColumnType } from '@millrace/tabular';
import type { MlflowColumn, MlflowTensor, Mlmodel } from '../package/mlmodel.ts';
import type { FeatureSignature } from '../package/signature.ts';
import type { ExampleTable } from './example.ts';

/** MLflow's types of columns in the platform's words. */
const columnTypes: Readonly<Record<string, ColumnType>> = {
  boolean: 'boolean',
  integer: 'integer',
  long: 'integer',
  float: 'number',
  double: 'number',
  string: 'string',
  datetime: 'timestamp',
};

const signatureHint =
  'Save it with `signature=infer_signature(X, model.predict(X))`, or with an `input_example` that is a table.';

/**
 * The features of a model that MLflow saved: the columns of its signature, or `f0`, `f1`, … for the columns of the one
 * tensor that it takes, or what its example shows.
 *
 * @throws Invalid when it takes something that is no table of numbers, text, truth values and times
 */
export const importedFeatures = (
  { inputs }: Mlmodel,
  example: ExampleTable | undefined,
): readonly FeatureSignature[] => {
  if (inputs?.kind === 'columns') return inputs.columns.map(columnFeature);
  if (inputs?.kind === 'tensors') return tensorFeatures(inputs.tensors);
  if (example === undefined || example.data.length === 0) {
    throw Invalid.field('MLmodel.signature', 'the model has neither a signature nor an input example', {
      hint: signatureHint,
    });
  }
  return example.columns.map((name, index) => ({
    name,
    type: exampleType(
      name,
      example.data.map((row) => row[index]),
    ),
    nullable: true,
  }));
};

const columnFeature = ({ name, type, required }: MlflowColumn): FeatureSignature => {
  const known = columnTypes[type];
  if (known !== undefined) return { name, type: known, nullable: !required };
  throw Invalid.field(`MLmodel.signature.inputs.${name}`, `is of type ${type}, which is not served`, {
    hint: `Columns may be ${Object.keys(columnTypes).join(', ')}.`,
  });
};

const tensorFeatures = (tensors: readonly MlflowTensor[]): readonly FeatureSignature[] => {
  const [only] = tensors;
  if (tensors.length === 1 && only !== undefined && only.name === undefined) return matrixFeatures(only);
  return tensors.map(({ name = '', dtype, shape }) => {
    const isColumn = shape.length === 1 || (shape.length === 2 && shape[1] === 1);
    if (name !== '' && isColumn) return { name, type: elementType(dtype), nullable: false };
    throw Invalid.field('MLmodel.signature.inputs', `tensor "${name}" of [${shape}] is no column`, {
      hint: 'Several tensors must have names and the shape [-1] or [-1, 1].',
    });
  });
};

const matrixFeatures = ({ dtype, shape }: MlflowTensor): readonly FeatureSignature[] => {
  const width = shape.length === 1 ? 1 : (shape[1] ?? -1);
  if (shape.length > 2 || width < 1) {
    throw Invalid.field('MLmodel.signature.inputs', `the tensor [${shape}] is no table of fixed width`, {
      hint: 'Models that take tensors are served when these are [-1, n]: n numbers a row.',
    });
  }
  const type = elementType(dtype);
  return Array.from({ length: width }, (_, position) => ({ name: `f${position}`, type, nullable: false }));
};

const elementType = (dtype: string): ColumnType => {
  if (/^u?int\d+$/.test(dtype)) return 'integer';
  if (/^float\d+$/.test(dtype)) return 'number';
  if (dtype === 'bool') return 'boolean';
  if (dtype === 'str' || dtype === 'object') return 'string';
  throw Invalid.field('MLmodel.signature.inputs', `tensors of ${dtype} are not served`);
};

/** Whole numbers may be broken ones in the next row. */
const exampleType = (name: string, values: readonly unknown[]): ColumnType => {
  const types = new Set(values.filter((value) => value !== null).map((value) => typeof value));
  const [type] = types;
  if (types.size === 1 && (type === 'number' || type === 'string' || type === 'boolean')) return type;
  throw Invalid.field(`input_example.${name}`, 'does not tell the type of the column', {
    hint: signatureHint,
  });
};
