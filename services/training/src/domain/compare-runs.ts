import type { ComparedField } from '@millrace/contracts/training';
import type { RunDocument } from './run.ts';

const sections = ['params', 'metrics', 'tags'] as const;

/** Every param, metric and tag of the runs side by side, in order of name; a run without it has `null`. */
export const compareRuns = (runs: readonly RunDocument[]): ComparedField[] =>
  sections.flatMap((section) => {
    const names = new Set(runs.flatMap((run) => Object.keys(run[section])));
    return [...names].sort().map((name) => {
      const values = runs.map((run) => run[section][name] ?? null);
      return { name: `${section}.${name}`, values, differs: values.some((value) => value !== values[0]) };
    });
  });
