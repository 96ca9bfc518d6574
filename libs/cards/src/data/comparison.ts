import type { ColumnComparison, Comparison } from '@millrace/tabular';
import type { CardSection } from '../card.ts';
import { comparisonHistogram } from '../charts/comparison-histogram.ts';
import { seriesClass } from '../charts/frame.ts';
import { groupedBars } from '../charts/grouped-bars.ts';
import { note, table } from '../components.ts';
import { clip, formatNumber, formatPercent, formatTime } from '../format.ts';
import { html, type SafeHtml } from '../html.ts';
import { columnHeading, hiddenNote, mostlyOther, shownColumns } from './profile.ts';

/** The same columns of several tables side by side. */
export const comparisonSection = (title: string, comparison: Comparison): CardSection => ({
  title,
  content: [
    note(
      'Shares are of each table’s own rows that have a value, so tables of different sizes can be compared.',
    ),
    comparedColumns(comparison),
    ...hiddenNote(comparison.columns.length),
  ],
});

/** A block for each column: its distribution in each table, and its figures. */
export const comparedColumns = ({ names, rows, columns }: Comparison): SafeHtml =>
  html`<div class="profiles">${columns
    .slice(0, shownColumns)
    .map(
      (column) =>
        html`<article class="profile">${columnHeading(column.name, column.type)}${chart(names, column)}${figureTable(names, rows, column)}</article>`,
    )}</div>`;

const chart = (
  names: readonly string[],
  { name, type, parts, histogram, categories }: ColumnComparison,
): SafeHtml => {
  if (histogram !== undefined) {
    return comparisonHistogram({
      title: `Distribution of ${name}`,
      edges: histogram.edges,
      series: names.map((part, index) => ({ name: part, counts: histogram.counts[index] ?? [] })),
      time: type === 'timestamp',
      legend: false,
    });
  }
  if (categories === undefined) return note('No values');
  const rare = categories.other.every((count, part) => count > mostlyOther * (parts[part]?.count ?? 0));
  if (rare) return note('Its values hardly repeat.');
  const share = (count: number | undefined, part: number) =>
    (count ?? 0) / Math.max(1, parts[part]?.count ?? 0);
  const others = categories.other.some((count) => count > 0)
    ? [{ label: 'all others', shares: categories.other.map(share) }]
    : [];
  return groupedBars({
    title: `Values of ${name}`,
    series: names,
    legend: false,
    groups: [
      ...categories.values.map((label, value) => ({
        label,
        shares: names.map((_, part) => share(categories.counts[part]?.[value], part)),
      })),
      ...others,
    ],
  });
};

const figureColumns = [
  { key: 'min', ofTimes: 'first' },
  { key: 'median', ofTimes: undefined },
  { key: 'mean', ofTimes: undefined },
  { key: 'max', ofTimes: 'last' },
] as const;

const figureTable = (
  names: readonly string[],
  rows: readonly number[],
  { type, parts }: ColumnComparison,
): SafeHtml => {
  const time = type === 'timestamp';
  const shown = figureColumns.filter(
    ({ key, ofTimes }) => (ofTimes || !time) && parts.some((part) => part[key] !== undefined),
  );
  const text = time ? formatTime : (value: number) => formatNumber(value, 4);
  const cell = (value: number | undefined) => (value === undefined ? '–' : text(value));
  return table({
    columns: [
      { title: '' },
      { title: 'missing', numeric: true },
      ...shown.map(({ key, ofTimes }) => ({ title: time ? (ofTimes ?? key) : key, numeric: true })),
    ],
    rows: parts.map((figures, part) => [
      html`<span class="key ${seriesClass(part)}"><i></i>${clip(names[part] ?? '', 30)}</span>`,
      formatPercent((rows[part] ?? 0) === 0 ? 0 : figures.missing / (rows[part] ?? 1)),
      ...shown.map(({ key }) => cell(figures[key])),
    ]),
  });
};
