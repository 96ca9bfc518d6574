import type { Table } from '@millrace/tabular';
import { columnOf } from '../table-access.ts';

/** The named columns in that order; throws `Invalid` naming one that is missing. */
export const inOrder = (features: Table, names: readonly string[]): Table => ({
  rowCount: features.rowCount,
  columns: names.map((name, position) => {
    // Mostly they come in the order in which the model saw them: then none is searched for.
    const there = features.columns[position];
    return there?.name === name ? there : columnOf(features, name, `features.${name}`);
  }),
});
