import type { ColumnProfile, DatasetProfile, NumericProfile } from '@millrace/tabular';
import type { CardSection } from '../card.ts';
import type { HistogramBucket } from '../charts/histogram.ts';
import { meter, miniHistogram, shareBars } from '../charts/mini-charts.ts';
import { badge, note, tiles } from '../components.ts';
import { clip, formatNumber, formatPercent, formatTime } from '../format.ts';
import { type HtmlValue, html, type SafeHtml } from '../html.ts';

/** Columns in one card: more make a page that nobody reads and a browser shows slowly. */
export const shownColumns = 100;
const shownValues = 5;
const sampleBuckets = 20;

export interface ProfileSectionOptions {
  readonly title: string;
  readonly profile: DatasetProfile;
  /** Said below the figures, such as of how many rows it is a sample. */
  readonly remark?: string;
}

/** What each column looks like: distribution, missing values, figures. */
export const profileSection = ({ title, profile, remark }: ProfileSectionOptions): CardSection => {
  const { rowCount, columns } = profile;
  const cells = rowCount * columns.length;
  const missing = columns.reduce((sum, column) => sum + column.missing, 0);
  return {
    title,
    content: [
      tiles([
        { label: 'Rows', value: formatNumber(rowCount) },
        { label: 'Columns', value: formatNumber(columns.length) },
        {
          label: 'Missing values',
          value: formatPercent(cells === 0 ? 0 : missing / cells),
          detail: `${formatNumber(missing)} of ${formatNumber(cells)} cells`,
        },
      ]),
      ...(remark === undefined ? [] : [note(remark)]),
      html`<div class="profiles">${columns.slice(0, shownColumns).map((column) => columnBlock(column, rowCount))}</div>`,
      ...hiddenNote(columns.length),
    ],
  };
};

/** Says how many columns a card leaves out; nothing when none. */
export const hiddenNote = (columns: number): readonly SafeHtml[] =>
  columns <= shownColumns
    ? []
    : [note(`${formatNumber(columns - shownColumns)} more columns are not shown.`)];

/** The name of a column with its type. */
export const columnHeading = (name: string, type: string): SafeHtml =>
  html`<h3><span>${clip(name, 80)}</span>${badge(type)}</h3>`;

const columnBlock = (column: ColumnProfile, rowCount: number): SafeHtml =>
  html`<article class="profile">${columnHeading(column.name, column.type)}<div class="halves"><div>${distribution(column)}</div><div>${figures(column, rowCount)}</div></div></article>`;

const distribution = ({ name, type, count, numeric, categorical }: ColumnProfile): SafeHtml => {
  if (numeric !== undefined) {
    const text = type === 'timestamp' ? formatTime : (value: number) => formatNumber(value, 4);
    return html`${miniHistogram(bucketsOf(numeric), `Distribution of ${name}`)}<div class="ends"><span>${text(numeric.min)}</span><span>${text(numeric.max)}</span></div>`;
  }
  if (categorical === undefined) return note('No values');
  const shown = categorical.top
    .slice(0, shownValues)
    .map((entry) => ({ label: entry.value, count: entry.count }));
  const rest = count - shown.reduce((sum, entry) => sum + entry.count, 0);
  return shareBars(rest > 0 ? [...shown, { label: 'all others', count: rest }] : shown, count);
};

/** Counts as they were made; a profile from before they were made is drawn from its sample. */
const bucketsOf = ({ histogram, sample, min, max }: NumericProfile): readonly HistogramBucket[] =>
  histogram === undefined
    ? equalWidthBuckets(sample, [min, max])
    : histogram.counts.map((count, index) => ({
        from: histogram.edges[index] ?? min,
        to: histogram.edges[index + 1] ?? max,
        count,
      }));

const equalWidthBuckets = (
  values: readonly number[],
  [min, max]: readonly [number, number],
): readonly HistogramBucket[] => {
  if (min === max) return [{ from: min, to: max, count: values.length }];
  const counts = new Array<number>(sampleBuckets).fill(0);
  for (const value of values) {
    const bucket = Math.min(sampleBuckets - 1, Math.floor(((value - min) / (max - min)) * sampleBuckets));
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  const edge = (index: number) => min + ((max - min) * index) / sampleBuckets;
  return counts.map((count, index) => ({ from: edge(index), to: edge(index + 1), count }));
};

const figures = (column: ColumnProfile, rowCount: number): SafeHtml => {
  const { count, missing, distinct, distinctApproximate, length } = column;
  const share = rowCount === 0 ? 0 : missing / rowCount;
  const pairs: readonly (readonly [string, HtmlValue])[] = [
    ['values', formatNumber(count)],
    [
      'missing',
      html`${formatNumber(missing)} (${formatPercent(share)})${meter(share, missing > 0 ? 'warn' : 'plain')}`,
    ],
    ['distinct', `${distinctApproximate ? '≈ ' : ''}${formatNumber(distinct)}`],
    ...numericFigures(column),
    ...(length === undefined
      ? []
      : [
          [
            'length',
            `${formatNumber(length.min)} … ${formatNumber(length.max)}, mean ${formatNumber(length.mean, 3)}`,
          ] as const,
        ]),
  ];
  return html`<dl class="figures">${pairs.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>`;
};

const numericFigures = ({ type, numeric, count }: ColumnProfile): readonly (readonly [string, string])[] => {
  if (numeric === undefined) return [];
  const { min, max, mean, std, quantiles, zeros } = numeric;
  const median = quantiles['0.5'];
  if (type === 'timestamp') {
    return [
      ['first', formatTime(min)],
      ['median', median === undefined ? '–' : formatTime(median)],
      ['last', formatTime(max)],
    ];
  }
  return [
    ['min', formatNumber(min, 5)],
    ['median', formatNumber(median, 5)],
    ['max', formatNumber(max, 5)],
    ['mean', formatNumber(mean, 5)],
    ['std', formatNumber(std, 5)],
    ...(zeros === undefined
      ? []
      : [['zeros', `${formatNumber(zeros)} (${formatPercent(count === 0 ? 0 : zeros / count)})`] as const]),
  ];
};
