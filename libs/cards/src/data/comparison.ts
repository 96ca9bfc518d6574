import type { ColumnComparison, Comparison } from '@millrace/tabular';
import type { CardSection } from '../card.ts';
import { comparisonHistogram } from '../charts/comparison-histogram.ts';
import { seriesClass } from '../charts/frame.ts';
import { groupedBars } from '../charts/grouped-bars.ts';
import { note, table } from '../components.ts';
import { clip, formatNumber, formatPercent, formatTime } from '../format.ts';
import { html, type SafeHtml } from '../html.ts';
import { columnHeading, hiddenNote, shownColumns } from './profile.ts';

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
        html`<article class="profile">${columnHeading(column.name, column.type)}${chart(names, column)}${figures(names, rows, column)}</article>`,
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
    });
  }
  if (categories === undefined) return note('No values');
  const share = (count: number | undefined, part: number) =>
    (count ?? 0) / Math.max(1, parts[part]?.count ?? 0);
  const others = categories.other.some((count) => count > 0)
    ? [{ label: 'all others', shares: categories.other.map(share) }]
    : [];
  return groupedBars({
    title: `Values of ${name}`,
    series: names,
    groups: [
      ...categories.values.map((label, value) => ({
        label,
        shares: names.map((_, part) => share(categories.counts[part]?.[value], part)),
      })),
      ...others,
    ],
  });
};

const figures = (
  names: readonly string[],
  rows: readonly number[],
  { type, parts }: ColumnComparison,
): SafeHtml => {
  const numeric = parts.some(({ min }) => min !== undefined);
  const text = type === 'timestamp' ? formatTime : (value: number) => formatNumber(value, 4);
  const cell = (value: number | undefined) => (value === undefined ? '–' : text(value));
  return table({
    columns: [
      { title: '' },
      { title: 'missing', numeric: true },
      ...(numeric ? ['min', 'median', 'mean', 'max'].map((title) => ({ title, numeric: true })) : []),
    ],
    rows: parts.map(({ missing, min, median, mean, max }, part) => [
      html`<span class="key ${seriesClass(part)}"><i></i>${clip(names[part] ?? '', 30)}</span>`,
      formatPercent((rows[part] ?? 0) === 0 ? 0 : missing / (rows[part] ?? 1)),
      ...(numeric ? [min, median, mean, max].map(cell) : []),
    ]),
  });
};
