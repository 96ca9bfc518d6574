import { Invalid } from '@millrace/errors';
import type { Json } from '@millrace/store';
import { parse } from 'yaml';
import type { ExampleRow, Signature, SignatureField } from './model-version.ts';

/** MLflow's column types (https://mlflow.org/docs/latest/ml/model/signatures/) in the platform's words. */
const columnTypes: Readonly<Record<string, string>> = {
  double: 'number',
  float: 'number',
  long: 'integer',
  integer: 'integer',
  boolean: 'boolean',
  string: 'string',
  binary: 'string',
  datetime: 'timestamp',
};

/** Rows of an input example that are kept with the version. */
const mostExampleRows = 5;

interface MlmodelColumn {
  readonly name?: unknown;
  readonly type?: unknown;
  readonly required?: unknown;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parseYaml = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = parse(text);
    if (isRecord(value)) return value;
  } catch (cause) {
    throw Invalid.field('model.MLmodel', 'is not YAML', { cause });
  }
  throw Invalid.field('model.MLmodel', 'is not a mapping');
};

/** A type that is no column (a tensor) keeps MLflow's word for it. */
const fieldOf = ({ name, type, required }: MlmodelColumn, index: number): SignatureField => ({
  name: typeof name === 'string' ? name : String(index),
  type: columnTypes[String(type)] ?? String(type),
  required: required !== false,
});

const parseFields = (json: unknown, path: string): readonly SignatureField[] => {
  if (json === undefined || json === null) return [];
  try {
    const columns: unknown = JSON.parse(String(json));
    if (Array.isArray(columns))
      return columns.map((column, index) => fieldOf(isRecord(column) ? column : {}, index));
  } catch (cause) {
    throw Invalid.field(path, 'is not JSON', { cause });
  }
  throw Invalid.field(path, 'is not a list of columns');
};

/** What a package's `MLmodel` file says of its flavors, inputs and outputs; empty where it says nothing. */
export const parseMlmodel = (
  text: string,
): {
  readonly signature: Signature;
  readonly inputExamplePath: string | undefined;
  readonly flavors: readonly string[];
} => {
  const { signature, flavors, saved_input_example_info: example } = parseYaml(text);
  const parts = isRecord(signature) ? signature : {};
  const path = isRecord(example) ? example.artifact_path : undefined;
  return {
    signature: {
      inputs: parseFields(parts.inputs, 'model.MLmodel.signature.inputs'),
      outputs: parseFields(parts.outputs, 'model.MLmodel.signature.outputs'),
    },
    inputExamplePath: typeof path === 'string' ? path : undefined,
    flavors: isRecord(flavors) ? Object.keys(flavors) : [],
  };
};

/**
 * The first rows of an MLflow input example: pandas' `split` orientation (bare or under `dataframe_split`) or a
 * list of records. Other shapes (tensors) give none.
 */
export const parseInputExample = (text: string): readonly ExampleRow[] => {
  const value = JSON.parse(text) as unknown;
  const split = isRecord(value) && isRecord(value.dataframe_split) ? value.dataframe_split : value;
  if (isRecord(split) && Array.isArray(split.columns) && Array.isArray(split.data)) {
    const columns = split.columns.map(String);
    return split.data
      .slice(0, mostExampleRows)
      .map((row: unknown) => Object.fromEntries(columns.map((name, index) => [name, cellOf(row, index)])));
  }
  return Array.isArray(value)
    ? value
        .filter(isRecord)
        .slice(0, mostExampleRows)
        .map((row) => row as ExampleRow)
    : [];
};

const cellOf = (row: unknown, index: number): Json =>
  Array.isArray(row) ? ((row[index] as Json) ?? null) : null;
