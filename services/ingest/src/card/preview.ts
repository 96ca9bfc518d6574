import type { DataCell, DataRows } from '@millrace/cards';
import { type DuckDb, quoteIdentifier, type Relation } from '@millrace/tabular';

const previewRows = 10;

/** The first rows of a relation, in its order. */
export const previewOf = async (
  duck: DuckDb,
  { source, columns }: Pick<Relation, 'source' | 'columns'>,
): Promise<DataRows> => {
  if (columns.length === 0) return { columns: [], rows: [] };
  const select = columns.map(({ name }, index) => `${quoteIdentifier(name)} AS c${index}`);
  const rows = await duck.rows(`SELECT ${select.join(', ')} FROM ${source} LIMIT ${previewRows}`);
  return {
    columns: columns.map(({ name, type }) => ({ name, type })),
    rows: rows.map((row) => columns.map((_, index) => row[`c${index}`] as DataCell)),
  };
};
