import { Invalid } from '@millrace/errors';
import type { Column, Table } from '@millrace/tabular';
import { classification, type Prediction } from '../prediction.ts';
import type { Cell } from '../table-access.ts';
import type { Columns } from '../user-steps.ts';

/** What a user's `predict` is for. */
export interface Expected {
  readonly rows: number;
  readonly task: 'regression' | 'classification';
  readonly classes: readonly string[];
  /** The user's function, for messages. */
  readonly owner: string;
}

/** Turns what a user's `predict` returned into a prediction; throws `Invalid` naming the row that is wrong. */
export const checkPrediction = (output: unknown, expected: Expected): Prediction => {
  if (expected.task === 'regression') return { kind: 'regression', values: checkNumbers(output, expected) };
  if (Array.isArray(output))
    return { kind: 'classification', classes: expected.classes, labels: checkLabels(output, expected) };
  const { probabilities, classes } = (output ?? {}) as { probabilities?: unknown; classes?: unknown };
  if (!Array.isArray(probabilities) || !Array.isArray(classes)) {
    throw wrong(expected, 'must return labels, or { probabilities, classes }');
  }
  return classification(expected.classes, checkProbabilities(probabilities, classes.map(String), expected));
};

const wrong = ({ owner }: Expected, message: string): Invalid => Invalid.field(`${owner} predict`, message);

const checkLength = (output: readonly unknown[], expected: Expected): void => {
  if (output.length !== expected.rows)
    throw wrong(expected, `returned ${output.length} values for ${expected.rows} rows`);
};

const checkNumbers = (output: unknown, expected: Expected): number[] => {
  if (!Array.isArray(output) && !ArrayBuffer.isView(output))
    throw wrong(expected, 'must return an array of numbers');
  const values = Array.from(output as ArrayLike<unknown>);
  checkLength(values, expected);
  const row = values.findIndex((value) => typeof value !== 'number' || !Number.isFinite(value));
  if (row >= 0) throw wrong(expected, `returned ${String(values[row])} for row ${row}, not a finite number`);
  return values as number[];
};

const checkLabels = (output: readonly unknown[], expected: Expected): string[] => {
  checkLength(output, expected);
  const known = new Set(expected.classes);
  const labels = output.map(String);
  const row = labels.findIndex((label) => !known.has(label));
  if (row >= 0)
    throw wrong(expected, `returned "${labels[row]}" for row ${row}, which is no class of the target`);
  return labels;
};

const checkProbabilities = (
  rows: readonly unknown[],
  given: readonly string[],
  expected: Expected,
): number[][] => {
  checkLength(rows, expected);
  const positions = expected.classes.map((name) => given.indexOf(name));
  const unknown = given.find((name) => !expected.classes.includes(name));
  if (unknown !== undefined)
    throw wrong(expected, `returned class "${unknown}", which is no class of the target`);
  return rows.map((row, index) => {
    const values = Array.isArray(row) ? (row as unknown[]) : [];
    const ordered = positions.map((position) => (position < 0 ? 0 : values[position]));
    const sum = ordered.reduce<number>(
      (total, value) => total + (isProbability(value) ? value : Number.NaN),
      0,
    );
    if (!(Math.abs(sum - 1) < 1e-6))
      throw wrong(expected, `the probabilities of row ${index} do not sum to 1`);
    return ordered as number[];
  });
};

const isProbability = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= 1 + 1e-9;

/** Turns what a user's `transform` returned into a table; throws `Invalid` naming column and row. */
export const checkColumns = (output: unknown, rows: number, owner: string): Table => {
  const fail = (message: string) => Invalid.field(`${owner} transform`, message);
  if (typeof output !== 'object' || output === null || Array.isArray(output))
    throw fail('must return columns by name');
  const columns = Object.entries(output as Columns).map(([name, values]): Column => {
    if (!Array.isArray(values) || values.length !== rows) {
      throw fail(`column "${name}" must be an array of ${rows} values`);
    }
    return {
      name,
      ...typed(values, (row, found) => fail(`column "${name}" holds ${found} in row ${row}`)),
    } as Column;
  });
  if (columns.length === 0) throw fail('returned no columns');
  return { rowCount: rows, columns };
};

/** The common type of the values; a `NaN` or `undefined` is a missing value, as tables want it. */
const typed = (
  values: readonly unknown[],
  fail: (row: number, found: string) => Invalid,
): { type: string; values: Cell[] } => {
  const cells = values.map((value) => (value === undefined || Number.isNaN(value) ? null : value));
  const first = cells.find((value) => value !== null);
  const type = first === undefined ? 'number' : typeof first;
  const row = cells.findIndex(
    (value) =>
      value !== null && (typeof value !== type || !['number', 'string', 'boolean'].includes(typeof value)),
  );
  if (row >= 0) throw fail(row, `${typeof cells[row]} among ${type}s`);
  return { type, values: cells as Cell[] };
};
