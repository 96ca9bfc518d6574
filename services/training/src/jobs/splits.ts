import { Invalid } from '@millrace/errors';
import { columnOf, type Examples, examplesOf, type Task, takeRows, withoutColumns } from '@millrace/modeling';
import { type ColumnType, readTable, type Table } from '@millrace/tabular';
import type { LabelValue } from './prepared-data.ts';

/** Fewest rows with a target that a split may have. */
const leastRows = 4;

/** A split taken apart: raw features, target, and the target's values in their own type. */
export interface RawSplit {
  readonly features: Table;
  readonly labels: readonly LabelValue[];
  readonly targetType: ColumnType;
}

/** The training split with its target checked; throws `Invalid` naming what is wrong with it. */
export const readTrainSplit = async (
  path: string,
  targetColumn: string,
  task: Task,
): Promise<RawSplit & Pick<Examples, 'target'>> => {
  const table = await readTable(path);
  const { features, target } = examplesOf(table, targetColumn, task);
  if (features.rowCount < leastRows) {
    throw Invalid.field(
      'splits.train',
      `has ${features.rowCount} rows with a target, at least ${leastRows} are needed`,
    );
  }
  if (features.columns.length === 0) throw Invalid.field('splits.train', 'has no column beside the target');
  return { ...rawSplit(table, targetColumn, 'train'), features, target };
};

/** The validation split. A class that training never saw is left in: it counts as a miss. */
export const readValidationSplit = async (path: string, targetColumn: string): Promise<RawSplit> =>
  rawSplit(await readTable(path), targetColumn, 'validation');

const rawSplit = (table: Table, targetColumn: string, name: string): RawSplit => {
  const column = columnOf(table, targetColumn, 'target_column');
  const rows = (column.values as readonly (LabelValue | null)[]).flatMap((value, row) =>
    value === null ? [] : [row],
  );
  if (rows.length === 0) throw Invalid.field(`splits.${name}`, `no row has a value in "${targetColumn}"`);
  const kept = rows.length === table.rowCount ? table : takeRows(table, rows);
  return {
    features: withoutColumns(kept, [targetColumn]),
    labels: rows.map((row) => column.values[row] as LabelValue),
    targetType: column.type,
  };
};
