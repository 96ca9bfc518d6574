import { Invalid, type Violation } from '@millrace/errors';
import type { Column, Table } from '@millrace/tabular';
import type { Cell } from '../table-access.ts';
import type { FeatureSignature, Signature } from './signature.ts';

/** One request row: feature name → value; timestamps as ISO 8601 text or epoch milliseconds. */
export type Row = Readonly<Record<string, unknown>>;

export interface CheckInputOptions {
  /** What to do with a field that is no feature of the model; default `ignore`. */
  readonly extra?: 'ignore' | 'reject';
  /** How an error names the rows; default `inputs`. */
  readonly path?: string;
}

/** Violations reported at most, so that a bad batch gives a readable answer. */
const mostViolations = 20;

type Checked = { readonly value: Cell } | { readonly problem: string };

/**
 * Turns request rows into the table that the signature describes. Throws `Invalid` with a violation per
 * wrong field, each naming row and field: a required feature left out, a value of the wrong type, a number
 * that is not finite, an unknown field when `extra` is `reject`. An explicit `null` is a missing value.
 */
export const tableFromRows = (
  signature: Signature,
  rows: readonly Row[],
  options: CheckInputOptions = {},
): Table => {
  const path = options.path ?? 'inputs';
  const violations = options.extra === 'reject' ? extraFields(signature, rows, path) : [];
  const columns = signature.inputs.map((feature) => {
    const values = rows.map((row, index) => {
      const checked = fieldValue(feature, row);
      if ('value' in checked) return checked.value;
      violations.push({ path: `${path}[${index}].${feature.name}`, message: checked.problem });
      return null;
    });
    return { name: feature.name, type: feature.type, values } as Column;
  });
  refuse(violations);
  return { rowCount: rows.length, columns };
};

/** The signature's columns of a table, checked like `tableFromRows`. */
export const tableFromTable = (
  signature: Signature,
  table: Table,
  options: CheckInputOptions = {},
): Table => {
  const path = options.path ?? 'inputs';
  const violations: Violation[] = [];
  const known = new Set(signature.inputs.map(({ name }) => name));
  if (options.extra === 'reject') {
    for (const { name } of table.columns.filter((column) => !known.has(column.name))) {
      violations.push({ path: `${path}.${name}`, message: 'is not a feature of this model' });
    }
  }
  const columns = signature.inputs.map((feature) => {
    const column = table.columns.find(({ name }) => name === feature.name);
    if (column === undefined && !feature.nullable) {
      violations.push({ path: `${path}.${feature.name}`, message: 'the column is missing' });
    }
    const cells: readonly Cell[] = column?.values ?? Array<null>(table.rowCount).fill(null);
    const values = cells.map((cell, row) => {
      const checked = cellValue(feature, cell);
      if ('value' in checked) return checked.value;
      violations.push({ path: `${path}[${row}].${feature.name}`, message: checked.problem });
      return null;
    });
    return { name: feature.name, type: feature.type, values } as Column;
  });
  refuse(violations);
  return { rowCount: table.rowCount, columns };
};

const refuse = (violations: readonly Violation[]): void => {
  if (violations.length === 0) return;
  const shown = violations.slice(0, mostViolations);
  const more = violations.length - shown.length;
  const text = shown.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new Invalid(more === 0 ? text : `${text}; and ${more} more`, { violations: shown });
};

const extraFields = (signature: Signature, rows: readonly Row[], path: string): Violation[] => {
  const known = new Set(signature.inputs.map(({ name }) => name));
  return rows.flatMap((row, index) =>
    Object.keys(row)
      .filter((name) => !known.has(name))
      .map((name) => ({ path: `${path}[${index}].${name}`, message: 'is not a feature of this model' })),
  );
};

const fieldValue = (feature: FeatureSignature, row: Row): Checked => {
  if (Object.hasOwn(row, feature.name)) return cellValue(feature, row[feature.name]);
  return feature.nullable ? { value: null } : { problem: 'the field is missing' };
};

const cellValue = (feature: FeatureSignature, value: unknown): Checked => {
  if (value === null || value === undefined) return { value: null };
  switch (feature.type) {
    case 'string':
      return typeof value === 'string' ? { value } : wrong('text', value);
    case 'boolean':
      return typeof value === 'boolean' ? { value } : wrong('true or false', value);
    case 'timestamp':
      return timestamp(value);
    case 'integer':
      return Number.isSafeInteger(value) ? { value: value as number } : wrong('a whole number', value);
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? { value } : wrong('a number', value);
  }
};

const timestamp = (value: unknown): Checked => {
  const milliseconds = typeof value === 'string' ? Date.parse(value) : value;
  if (typeof milliseconds === 'number' && Number.isFinite(milliseconds)) return { value: milliseconds };
  return wrong('an ISO 8601 time or epoch milliseconds', value);
};

const wrong = (expected: string, value: unknown): Checked => {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return { problem: `expected ${expected}, found ${text.length > 60 ? `${text.slice(0, 60)}…` : text}` };
};
