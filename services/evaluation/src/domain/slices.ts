import { Invalid } from '@millrace/errors';
import { columnOf } from '@millrace/modeling';
import { compileCondition, rowsWhere, type Table } from '@millrace/tabular';
import type { SliceDefinition } from './plan.ts';

/** A slice with its rows. */
export interface ResolvedSlice {
  readonly name: string;
  readonly where: string;
  readonly minSupport: number;
  readonly rows: readonly number[];
}

/** Values of a column that become slices; the rarer ones are left out. */
export const mostSlicesPerColumn = 20;

/**
 * Finds the rows of every slice.
 * @throws Invalid naming the slice when its condition does not fit the table.
 */
export const resolveSlices = (
  definitions: readonly SliceDefinition[],
  table: Table,
): readonly ResolvedSlice[] =>
  definitions.flatMap((definition) =>
    definition.kind === 'column' ? slicesOfColumn(definition, table) : [sliceOfCondition(definition, table)],
  );

const schemaOf = (table: Table) => table.columns.map(({ name, type }) => ({ name, type }));

const sliceOfCondition = (
  { name, where, minSupport, path }: Extract<SliceDefinition, { kind: 'condition' }>,
  table: Table,
): ResolvedSlice => {
  const condition = compileCondition(where, schemaOf(table), `${path}.where`);
  return { name, where, minSupport, rows: rowsWhere(table, condition) };
};

const slicesOfColumn = (
  { column, minSupport, path }: Extract<SliceDefinition, { kind: 'column' }>,
  table: Table,
): readonly ResolvedSlice[] => {
  const { values, type } = columnOf(table, column, path);
  if (type === 'number' || type === 'timestamp') {
    throw Invalid.field(path, `"${column}" is a ${type}, whose values are hardly ever equal`, {
      hint: `Give conditions instead: {name: …, where: "${column} < …"}.`,
    });
  }
  const rowsByValue = Map.groupBy(values.keys(), (row) => values[row] ?? null);
  return [...rowsByValue]
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, mostSlicesPerColumn)
    .map(([value, rows]) => ({
      name: `${column}=${value ?? 'missing'}`,
      where: value === null ? `${column} is null` : `${column} = ${literal(value)}`,
      minSupport,
      rows,
    }));
};

const literal = (value: string | number | boolean): string =>
  typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
