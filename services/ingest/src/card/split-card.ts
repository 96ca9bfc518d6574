import {
  badge,
  type CardSection,
  comparisonSection,
  facts,
  formatNumber,
  formatPercent,
  groupedBars,
  note,
  paragraph,
  table,
  tiles,
} from '@millrace/cards';
import type { StepCommand } from '@millrace/contracts/step';
import { type StepResult, stepCard } from '@millrace/service-kit';
import type { Comparison } from '@millrace/tabular';
import type { SplitName } from '../domain/split-assignment.ts';
import type { ClassCounts, Leaks } from '../domain/split-rules.ts';

const splitNames = ['train', 'validation', 'test'] as const satisfies readonly SplitName[];
/** Classes that a chart shows, the most frequent ones. */
const shownClasses = 20;

/** All that the card of a split step shows, of whichever runtime. */
export interface SplitFacts {
  readonly rows: Readonly<Record<SplitName, number>>;
  /** Rows without a target. */
  readonly dropped: number;
  /** Rows that the project's own filters removed after the split. */
  readonly filtered?: number;
  /** How rows were divided, for a person: `hash of the row`. */
  readonly method: string;
  /** For classification. */
  readonly classes?: ClassCounts;
  /** Absent: not checked. */
  readonly leaks?: Leaks;
  /** Distributions of the splits; absent when the recipe skips profiling. */
  readonly comparison?: Comparison;
}

/** The card of the step `split`. */
export const splitCard = (
  command: StepCommand,
  split: SplitFacts,
  { outputs, warnings = [] }: StepResult,
): string => {
  const { rows, classes, leaks, comparison } = split;
  const total = splitNames.reduce((sum, name) => sum + rows[name], 0);
  return stepCard(command, {
    title: 'Split',
    subtitle: `${formatNumber(total)} rows by ${split.method}`,
    badge:
      warnings.length === 0 ? { text: 'Succeeded', tone: 'good' } : { text: 'With warnings', tone: 'warn' },
    sections: [
      summarySection(split, total),
      classes === undefined ? undefined : classSection(classes),
      leaks === undefined ? undefined : leakSection(leaks),
      comparison === undefined ? undefined : comparisonSection('Splits compared', comparison),
    ],
    warnings,
    outputs,
  });
};

const summarySection = ({ rows, dropped, filtered, method }: SplitFacts, total: number): CardSection => ({
  title: 'Summary',
  content: [
    tiles(
      splitNames.map((name) => ({
        label: name,
        value: formatNumber(rows[name]),
        detail: formatPercent(total === 0 ? 0 : rows[name] / total),
      })),
    ),
    facts([
      ['Divided by', method],
      ['Rows without target, dropped', formatNumber(dropped)],
      ...(filtered === undefined ? [] : ([['Rows filtered out', formatNumber(filtered)]] as const)),
    ]),
  ],
});

const classSection = (classes: ClassCounts): CardSection => {
  const totals = new Map<string, number>();
  for (const name of splitNames) {
    for (const [label, count] of Object.entries(classes[name]))
      totals.set(label, (totals.get(label) ?? 0) + count);
  }
  const labels = [...totals.keys()].sort(
    (a, b) => (totals.get(b) ?? 0) - (totals.get(a) ?? 0) || (a < b ? -1 : 1),
  );
  const rowsOf = (name: SplitName) => Object.values(classes[name]).reduce((sum, count) => sum + count, 0);
  const share = (name: SplitName, label: string) => (classes[name][label] ?? 0) / Math.max(1, rowsOf(name));
  return {
    title: 'Classes',
    content: [
      groupedBars({
        title: 'Share of each class',
        series: splitNames,
        groups: labels
          .slice(0, shownClasses)
          .map((label) => ({ label, shares: splitNames.map((name) => share(name, label)) })),
      }),
      table({
        columns: [{ title: 'Class' }, ...splitNames.map((title) => ({ title, numeric: true }))],
        rows: labels.map((label) => [
          label,
          ...splitNames.map(
            (name) => `${formatNumber(classes[name][label] ?? 0)} (${formatPercent(share(name, label))})`,
          ),
        ]),
      }),
    ],
  };
};

const leakSection = ({ identicalRows, sharedKeys, timeOverlap }: Leaks): CardSection => {
  const found = [
    ['Rows that repeat a row of an earlier split', identicalRows],
    ['Keys in more than one split', sharedKeys],
    ['Rows not newer than an earlier split', timeOverlap],
  ] as const;
  return {
    title: 'Leaks',
    content: [
      paragraph('What training could know of the rows that judge it.'),
      table({
        columns: [{ title: '' }, { title: 'Check' }, { title: 'Found', numeric: true }],
        rows: found.map(([label, count]) => [
          badge(count === 0 ? 'none' : 'found', count === 0 ? 'good' : 'warn'),
          label,
          formatNumber(count),
        ]),
      }),
      note('Keys and times are looked at only where the recipe splits by them.'),
    ],
  };
};
