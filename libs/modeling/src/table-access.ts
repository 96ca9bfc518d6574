import { Invalid } from '@millrace/errors';
import type { Column, Table } from '@millrace/tabular';

export type Cell = string | number | boolean | null;

/** The column of that name; throws `Invalid` naming it and what there is. */
export const columnOf = (table: Table, name: string, path: string): Column => {
  const column = table.columns.find((candidate) => candidate.name === name);
  if (column === undefined) {
    const names = table.columns.map((candidate) => candidate.name).join(', ');
    throw Invalid.field(path, `there is no column "${name}"`, { hint: `The columns are: ${names}.` });
  }
  return column;
};

/** All columns but the named ones, in their order. */
export const withoutColumns = (table: Table, names: readonly string[]): Table => {
  const dropped = new Set(names);
  return { rowCount: table.rowCount, columns: table.columns.filter((column) => !dropped.has(column.name)) };
};

/** The rows at `indices`, in that order; an index may repeat. */
export const takeRows = (table: Table, indices: readonly number[]): Table => ({
  rowCount: indices.length,
  columns: table.columns.map((column) => takeFromColumn(column, indices)),
});

const takeFromColumn = (column: Column, indices: readonly number[]): Column => {
  const values = column.values as readonly Cell[];
  return { ...column, values: indices.map((index) => values[index] ?? null) } as Column;
};

/** The same table with the values of each column as a plain, mutable copy. */
export const columnArrays = (table: Table): Record<string, Cell[]> =>
  Object.fromEntries(table.columns.map((column) => [column.name, [...column.values]]));

/** The rows of a table as arrays of cells, in column order. */
export const rowsOf = (table: Table, limit = table.rowCount): Cell[][] =>
  Array.from({ length: Math.min(limit, table.rowCount) }, (_, row) =>
    table.columns.map((column) => (column.values as readonly Cell[])[row] ?? null),
  );

/**
 * The table as dense rows of numbers for an estimator that computes with them. Throws `Invalid` naming the
 * first column and row that hold anything but a finite number.
 */
export const numericRows = (table: Table, estimator: string): Float64Array[] => {
  const rows = Array.from({ length: table.rowCount }, () => new Float64Array(table.columns.length));
  table.columns.forEach((column, position) => {
    fillColumn(rows, column, position, estimator);
  });
  return rows;
};

const fillColumn = (rows: Float64Array[], column: Column, position: number, estimator: string): void => {
  const values: readonly Cell[] = column.values;
  for (let row = 0; row < rows.length; row += 1) {
    const value = values[row] ?? null;
    const number = typeof value === 'boolean' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number)) {
      const found = value === null ? 'a missing value' : JSON.stringify(value);
      throw Invalid.field(`features.${column.name}[${row}]`, `${estimator} needs numbers, found ${found}`, {
        hint: 'Use the built-in transform, or impute and encode the column in steps/transform.ts.',
      });
    }
    rows[row]![position] = number;
  }
};

/**
 * The columns as numbers, missing values as NaN, for an estimator that can do with them. Throws `Invalid`
 * naming the first column and row that hold text or an infinite number.
 */
export const numericColumns = (table: Table, estimator: string): Float64Array[] =>
  table.columns.map((column) =>
    Float64Array.from(column.values as readonly Cell[], (value, row) => {
      if (value === null) return Number.NaN;
      const number = typeof value === 'boolean' ? Number(value) : value;
      if (typeof number === 'number' && Number.isFinite(number)) return number;
      throw Invalid.field(
        `features.${column.name}[${row}]`,
        `${estimator} needs numbers, found ${JSON.stringify(value)}`,
        {
          hint: 'Use the built-in transform, or encode the column in steps/transform.ts.',
        },
      );
    }),
  );
