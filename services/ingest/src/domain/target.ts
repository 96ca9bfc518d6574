import { Invalid } from '@millrace/errors';
import { type ColumnSchema, ColumnType } from '@millrace/tabular';

export interface TargetRequirement {
  /** `regression`, `classification/binary` or `classification/multiclass`. */
  readonly task: string;
  readonly column: string;
  /** As written in the recipe; empty when it names none. */
  readonly positiveClass: string;
}

/** What was found in the target column. */
export interface TargetFacts {
  /** A value that is no number, as text, where the column holds text. */
  readonly notNumber?: string;
  /** The first different values as text, ascending; up to `shownClasses`. */
  readonly classes: readonly string[];
  readonly classCount: number;
}

export const shownClasses = 10;

const targetPath = 'target_col';

/** Throws `Invalid` when the data lacks the target column. */
export const requireTarget = (
  columns: readonly ColumnSchema[],
  { column }: TargetRequirement,
): ColumnSchema => {
  const found = columns.find(({ name }) => name === column);
  if (found !== undefined) return found;
  throw Invalid.field(targetPath, `the data has no column "${column}"`, {
    hint: `Its columns are ${columns
      .map(({ name }) => name)
      .slice(0, 50)
      .join(', ')}.`,
  });
};

/** Throws `Invalid` when the target column's content does not suit the task. */
export const requireSuitableTarget = (
  column: ColumnSchema,
  requirement: TargetRequirement,
  facts: TargetFacts,
): void => {
  if (facts.classCount === 0) throw Invalid.field(targetPath, `column "${column.name}" holds no value`);
  if (requirement.task === 'regression') requireNumeric(column, facts);
  else requireClasses(column, requirement, facts);
};

const requireNumeric = ({ name, type }: ColumnSchema, { notNumber }: TargetFacts): void => {
  if (type === ColumnType.number || type === ColumnType.integer) return;
  const example = notNumber === undefined ? '' : ` (for instance ${JSON.stringify(notNumber)})`;
  throw Invalid.field(targetPath, `regression needs numbers, but column "${name}" is ${type}${example}`, {
    hint: 'Correct the values, name another target column, or use classification/v1.',
  });
};

const requireClasses = (
  { name }: ColumnSchema,
  { task, positiveClass }: TargetRequirement,
  { classes, classCount }: TargetFacts,
): void => {
  const shown = `${classes.join(', ')}${classCount > classes.length ? ', …' : ''}`;
  if (classCount < 2) {
    throw Invalid.field(
      targetPath,
      `classification needs two classes or more, but column "${name}" holds only ${shown}`,
    );
  }
  if (task !== 'classification/binary') return;
  if (classCount > 2) {
    throw Invalid.field('positive_class', `column "${name}" holds ${classCount} classes: ${shown}`, {
      hint: 'Remove positive_class: it is for exactly two classes.',
    });
  }
  if (!classes.includes(positiveClass)) {
    throw Invalid.field('positive_class', `"${positiveClass}" is none of the classes of "${name}": ${shown}`);
  }
};
