import type { DuckDb } from './duckdb.ts';
import type { Relation } from './relation.ts';
import { quoteIdentifier } from './sql.ts';
import type { ColumnType } from './table.ts';

/** Some rows as they are, in the order of their columns; times are `Date`s. */
export interface FirstRows {
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
  readonly rows: readonly (readonly (null | boolean | number | string | Date)[])[];
}

/** The first rows of a relation, in its order. */
export const firstRows = async (
  duck: DuckDb,
  { source, columns }: Pick<Relation, 'source' | 'columns'>,
  count: number,
): Promise<FirstRows> => {
  if (columns.length === 0) return { columns: [], rows: [] };
  const select = columns.map(({ name }, index) => `${quoteIdentifier(name)} AS c${index}`);
  const rows = await duck.rows(`SELECT ${select.join(', ')} FROM ${source} LIMIT ${count}`);
  return {
    columns: columns.map(({ name, type }) => ({ name, type })),
    // Values of column types do not nest.
    rows: rows.map((row) => columns.map((_, index) => row[`c${index}`] as FirstRows['rows'][number][number])),
  };
};
