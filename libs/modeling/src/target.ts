import { Invalid } from '@millrace/errors';
import type { Column, ColumnType, Table } from '@millrace/tabular';
import type { Target } from './estimators/estimator.ts';
import type { Task } from './prediction.ts';
import { compare } from './statistics.ts';
import { columnOf, takeRows, withoutColumns } from './table-access.ts';

/** A dataset taken apart into what a model sees and what it is to learn. */
export interface Examples {
  readonly features: Table;
  readonly target: Target;
}

/** Most classes that a classification target may have. */
const mostClasses = 1000;

/**
 * Separates the target column from the features, leaving out rows without a target. `classes` fixes the
 * classes (those of the training split); a row of any other class is an error. Throws `Invalid` naming the
 * column: missing, non-numeric for regression, fewer than two classes for classification, no rows.
 */
export const examplesOf = (
  table: Table,
  targetColumn: string,
  task: Task,
  classes?: readonly string[],
): Examples => {
  const column = columnOf(table, targetColumn, 'target_column');
  const present = presentRows(column);
  if (present.length === 0) throw Invalid.field('target_column', `no row has a value in "${targetColumn}"`);
  const kept = present.length === table.rowCount ? table : takeRows(table, present);
  const target = columnOf(kept, targetColumn, 'target_column');
  return {
    features: withoutColumns(kept, [targetColumn]),
    target: task === 'regression' ? regressionTarget(target) : classificationTarget(target, classes),
  };
};

const presentRows = (column: Column): number[] =>
  (column.values as readonly unknown[]).flatMap((value, row) => (value === null ? [] : [row]));

const regressionTarget = (column: Column): Target => {
  if (column.type !== 'number' && column.type !== 'integer') {
    throw Invalid.field(
      'target_column',
      `regression needs a numeric target, "${column.name}" is ${column.type}`,
      {
        hint: 'Use recipe classification/v1, or make the column numeric.',
      },
    );
  }
  return { kind: 'regression', values: column.values.map(Number) };
};

const classificationTarget = (column: Column, fixed: readonly string[] | undefined): Target => {
  const classes = fixed ?? classesOf(column);
  const indexOf = new Map(classes.map((name, index) => [name, index]));
  const indices = (column.values as readonly unknown[]).map((value, row) => {
    const index = indexOf.get(String(value));
    if (index === undefined) {
      throw Invalid.field(`${column.name}[${row}]`, `class "${value}" does not occur in the training split`);
    }
    return index;
  });
  return { kind: 'classification', classes, indices };
};

/** The classes of a target as text, ascending; in numeric order where the column holds numbers. */
export const classesOf = (column: Column): string[] => {
  const distinct = [...new Set<string | number | boolean | null>(column.values)].filter(
    (value) => value !== null,
  );
  if (distinct.length < 2) {
    throw Invalid.field(
      'target_column',
      `"${column.name}" has one class only, "${distinct[0]}", in the training split`,
      {
        hint: 'A classifier needs rows of at least two classes; check the filter and the split.',
      },
    );
  }
  if (distinct.length > mostClasses) {
    throw Invalid.field(
      'target_column',
      `"${column.name}" has ${distinct.length} classes, at most ${mostClasses} are possible`,
      {
        hint: 'Use recipe regression/v1 for a continuous target.',
      },
    );
  }
  return distinct.sort(compare).map(String);
};

/** A class as text turned back into the type of the target column. */
export const labelScalar = (label: string, type: ColumnType): string | number | boolean => {
  if (type === 'boolean') return label === 'true';
  return type === 'string' ? label : Number(label);
};
