import { Invalid } from '@millrace/errors';
import type { Row } from '../package/check-input.ts';
import type { PackageFiles } from '../package/manifest.ts';
import type { Mlmodel } from '../package/mlmodel.ts';
import type { FeatureSignature } from '../package/signature.ts';

/** Rows of an input example, as pandas' `split` has them. */
export interface ExampleTable {
  readonly columns: readonly string[];
  readonly data: readonly (readonly unknown[])[];
}

/** Rows of an example that are kept. */
const mostRows = 5;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The first rows of the example that MLflow saved with a model: a table, a matrix (columns `f0`, `f1`, …) or columns by
 * name; `undefined` when there is none or it has another shape.
 */
export const importedExample = (files: PackageFiles, { example }: Mlmodel): ExampleTable | undefined => {
  if (example === undefined) return undefined;
  const bytes = files.get(example.path);
  if (bytes === undefined) throw Invalid.field(example.path, 'MLmodel names this file, which is not there');
  try {
    return tableOf(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw Invalid.field(example.path, 'is not JSON', { cause });
  }
};

const tableOf = (value: unknown): ExampleTable | undefined => {
  const content = isObject(value)
    ? (value.dataframe_split ?? value.inputs ?? value.instances ?? value)
    : value;
  if (Array.isArray(content)) return fromRows(content);
  if (!isObject(content)) return undefined;
  if (Array.isArray(content.data)) return fromSplit(content.columns, content.data);
  return fromColumns(content);
};

const fromSplit = (columns: unknown, data: readonly unknown[]): ExampleTable | undefined => {
  const rows = data.filter((row) => Array.isArray(row)).slice(0, mostRows);
  if (!Array.isArray(columns)) return fromRows(rows);
  return { columns: columns.map(String), data: rows };
};

/** A matrix, a list of numbers for one column, or records. */
const fromRows = (rows: readonly unknown[]): ExampleTable | undefined => {
  const [first] = rows;
  if (isObject(first)) {
    const columns = Object.keys(first);
    const records = rows.slice(0, mostRows).map((row) => columns.map((name) => (row as Row)[name] ?? null));
    return { columns, data: records };
  }
  const data = rows.slice(0, mostRows).map((row) => [row].flat());
  const isFlat = data.every((row) => row.length === data[0]?.length && !row.some(Array.isArray));
  if (first === undefined || !isFlat) return undefined;
  return { columns: (data[0] ?? []).map((_, position) => `f${position}`), data };
};

const fromColumns = (content: Readonly<Record<string, unknown>>): ExampleTable | undefined => {
  const columns = Object.keys(content);
  const values = columns.map((name) => [content[name]].flat(2));
  const rows = Math.min(mostRows, ...values.map(({ length }) => length));
  if (columns.length === 0 || rows === 0) return undefined;
  return { columns, data: Array.from({ length: rows }, (_, row) => values.map((cells) => cells[row])) };
};

/** A row of zeros and empty text, for a model that brings no example. */
export const plainExample = (features: readonly FeatureSignature[]): ExampleTable => ({
  columns: features.map(({ name }) => name),
  data: [
    features.map(({ type }) => ({ string: '', boolean: false, number: 0, integer: 0, timestamp: 0 })[type]),
  ],
});

/** The example as rows of a request, its columns by the names of the features. */
export const exampleRows = (example: ExampleTable, features: readonly FeatureSignature[]): Row[] => {
  const byPosition = !features.every(({ name }) => example.columns.includes(name));
  const names = byPosition ? features.map(({ name }) => name) : example.columns;
  return example.data.map((cells) =>
    Object.fromEntries(names.map((name, index) => [name, cells[index] ?? null])),
  );
};
