import { Invalid } from '@millrace/errors';
import { type SplitName, splitNames } from './split-assignment.ts';
import { LeakCheck, splitPath } from './split-config.ts';

/** Fewer rows make a split meaningless; the bound is that of MLflow Recipes. */
export const minSplitRows = 4;

/** Rows per class and split, for classification. */
export type ClassCounts = Readonly<Record<SplitName, Readonly<Record<string, number>>>>;

/** Throws `Invalid` when a split has too few rows. */
export const requireRows = (rows: Readonly<Record<SplitName, number>>): void => {
  const small = splitNames.filter((name) => rows[name] < minSplitRows);
  if (small.length === 0) return;
  const counts = splitNames.map((name) => `${name} ${rows[name]}`).join(', ');
  throw Invalid.field(
    `${splitPath}.split_ratios`,
    `${small.join(' and ')} would have fewer than ${minSplitRows} rows (${counts})`,
    {
      hint: 'Give more data, a larger share, or keys that divide the rows more evenly.',
    },
  );
};

/** Throws `Invalid` when there is nothing to tell apart in training; returns what is worth a warning. */
export const checkClasses = (target: string, counts: ClassCounts): string[] => {
  const classes = [...new Set(splitNames.flatMap((name) => Object.keys(counts[name])))].sort();
  const trained = Object.keys(counts.train);
  if (trained.length < 2) {
    throw Invalid.field(
      splitPath,
      `the training split holds only one class of "${target}": ${trained[0] ?? 'none'} (the data has ${classes.join(', ')})`,
      { hint: 'Give more rows of the other classes, or divide by other keys or times.' },
    );
  }
  return splitNames.flatMap((name) => {
    const missing = classes.filter((one) => counts[name][one] === undefined);
    return missing.length === 0
      ? []
      : [`the ${name} split has no row of class ${missing.slice(0, 10).join(', ')}`];
  });
};

/** What training could know of the rows that judge it. */
export interface Leaks {
  /** Rows that equal a row of an earlier split in every column but the one that rows are split by in time. */
  readonly identicalRows: number;
  /** Different keys in more than one split. */
  readonly sharedKeys: number;
  /** Rows not newer than the newest row of an earlier split, when split by time. */
  readonly timeOverlap: number;
}

/** The warnings that the leaks are worth; throws `Invalid` with them where the recipe wants the step to fail. */
export const judgeLeaks = (leaks: Leaks, check: LeakCheck): string[] => {
  const found = [
    leaks.identicalRows > 0 ? `${leaks.identicalRows} rows repeat a row of an earlier split` : '',
    leaks.sharedKeys > 0 ? `${leaks.sharedKeys} keys stand in more than one split` : '',
    leaks.timeOverlap > 0 ? `${leaks.timeOverlap} rows are not newer than an earlier split` : '',
  ].filter((message) => message !== '');
  if (found.length === 0 || check !== LeakCheck.block) return found;
  throw Invalid.field(`${splitPath}.leak_check`, found.join('; '), {
    hint: 'Remove repeated rows, or set leak_check to warn.',
  });
};
