import type {
  ColumnComparison,
  ColumnProfile,
  Comparison,
  DatasetProfile,
  NumericProfile,
} from '@millrace/tabular';
import type { CardSection } from '../card.ts';
import type { HistogramBucket } from '../charts/histogram.ts';
import { meter, miniHistogram, type ShareOfRows, shareBars } from '../charts/mini-charts.ts';
import { badge, note, tiles } from '../components.ts';
import { clip, formatNumber, formatPercent, formatTime } from '../format.ts';
import { type HtmlValue, html, type SafeHtml } from '../html.ts';

/** Columns in one card: more make a page that nobody reads and a browser shows slowly. */
export const shownColumns = 100;
const shownValues = 5;
const sampleBuckets = 20;
/** From this share of all values on, those that are not shown say more than those that are. */
export const mostlyOther = 0.95;

export interface ProfileSectionOptions {
  readonly title: string;
  /** A dataset's profile, or a quick one: the first table of a comparison. */
  readonly profile: DatasetProfile | Comparison;
  /** Said below the figures, such as of how many rows it is a sample. */
  readonly remark?: string;
}

/** What each column looks like: distribution, missing values, figures. */
export const profileSection = ({ title, profile, remark }: ProfileSectionOptions): CardSection => {
  const { rowCount, columns } = shownProfile(profile);
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

/** One column, as far as it is known. */
interface ShownColumn {
  readonly name: string;
  readonly type: string;
  readonly count: number;
  readonly missing: number;
  /** `≈ 120` where it is an estimate. */
  readonly distinct?: string;
  readonly numeric?: ShownNumbers;
  /** Most frequent first. */
  readonly values?: readonly ShareOfRows[];
  readonly length?: string;
}

interface ShownNumbers {
  readonly min: number;
  readonly median: number | undefined;
  readonly max: number;
  readonly mean: number | undefined;
  readonly std: number | undefined;
  readonly zeros: number | undefined;
  readonly buckets: readonly HistogramBucket[];
}

const shownProfile = (profile: DatasetProfile | Comparison) =>
  'names' in profile
    ? { rowCount: profile.rows[0] ?? 0, columns: profile.columns.map(columnOfComparison) }
    : { rowCount: profile.rowCount, columns: profile.columns.map(columnOfProfile) };

const columnOfProfile = (column: ColumnProfile): ShownColumn => {
  const { name, type, count, missing, distinct, distinctApproximate, numeric, categorical, length } = column;
  return {
    name,
    type,
    count,
    missing,
    distinct: `${distinctApproximate ? '≈ ' : ''}${formatNumber(distinct)}`,
    ...(numeric === undefined
      ? {}
      : {
          numeric: {
            min: numeric.min,
            median: numeric.quantiles['0.5'],
            max: numeric.max,
            mean: numeric.mean,
            std: numeric.std,
            zeros: numeric.zeros,
            buckets: bucketsOf(numeric),
          },
        }),
    ...(categorical === undefined
      ? {}
      : { values: categorical.top.map(({ value, count: rows }) => ({ label: value, count: rows })) }),
    ...(length === undefined
      ? {}
      : {
          length: `${formatNumber(length.min)} … ${formatNumber(length.max)}, mean ${formatNumber(length.mean, 3)}`,
        }),
  };
};

const columnOfComparison = ({ name, type, parts, histogram, categories }: ColumnComparison): ShownColumn => {
  const { count, missing, min, median, max, mean, std, zeros } = parts[0] ?? { count: 0, missing: 0 };
  return {
    name,
    type,
    count,
    missing,
    ...(min === undefined || max === undefined || histogram === undefined
      ? {}
      : {
          numeric: {
            ...{ min, median, max, mean, std, zeros },
            buckets: bucketsBetween(histogram.edges, histogram.counts[0] ?? []),
          },
        }),
    ...(categories === undefined
      ? {}
      : {
          values: categories.values.map((label, index) => ({
            label,
            count: categories.counts[0]?.[index] ?? 0,
          })),
        }),
  };
};

const bucketsBetween = (edges: readonly number[], counts: readonly number[]): readonly HistogramBucket[] =>
  counts.map((count, index) => ({ from: edges[index] ?? 0, to: edges[index + 1] ?? 0, count }));

/** Says how many columns a card leaves out; nothing when none. */
export const hiddenNote = (columns: number): readonly SafeHtml[] =>
  columns <= shownColumns
    ? []
    : [note(`${formatNumber(columns - shownColumns)} more columns are not shown.`)];

/** The name of a column with its type. */
export const columnHeading = (name: string, type: string): SafeHtml =>
  html`<h3><span>${clip(name, 80)}</span>${badge(type)}</h3>`;

const columnBlock = (column: ShownColumn, rowCount: number): SafeHtml =>
  html`<article class="profile">${columnHeading(column.name, column.type)}<div class="halves"><div>${distribution(column)}</div><div>${figures(column, rowCount)}</div></div></article>`;

const distribution = ({ name, type, count, numeric, values }: ShownColumn): SafeHtml => {
  if (numeric !== undefined) {
    const text = type === 'timestamp' ? formatTime : (value: number) => formatNumber(value, 4);
    return html`${miniHistogram(numeric.buckets, `Distribution of ${name}`)}<div class="ends"><span>${text(numeric.min)}</span><span>${text(numeric.max)}</span></div>`;
  }
  if (values === undefined) return note('No values');
  const shown = values.slice(0, shownValues);
  const rest = count - shown.reduce((sum, entry) => sum + entry.count, 0);
  if (rest > mostlyOther * count) return note('Its values hardly repeat.');
  return shareBars(rest > 0 ? [...shown, { label: 'all others', count: rest }] : shown, count);
};

/** Counts as they were made; a profile from before they were made is drawn from its sample. */
const bucketsOf = ({ histogram, sample, min, max }: NumericProfile): readonly HistogramBucket[] =>
  histogram === undefined
    ? equalWidthBuckets(sample, [min, max])
    : bucketsBetween(histogram.edges, histogram.counts);

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

const figures = (column: ShownColumn, rowCount: number): SafeHtml => {
  const { count, missing, distinct, length } = column;
  const share = rowCount === 0 ? 0 : missing / rowCount;
  const pairs: readonly (readonly [string, HtmlValue])[] = [
    ['values', formatNumber(count)],
    [
      'missing',
      missing === 0 ? '0' : html`${formatNumber(missing)} (${formatPercent(share)})${meter(share, 'warn')}`,
    ],
    ...(distinct === undefined ? [] : [['distinct', distinct] as const]),
    ...numericFigures(column),
    ...(length === undefined ? [] : [['length', length] as const]),
  ];
  return html`<dl class="figures">${pairs.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>`;
};

const numericFigures = ({ type, numeric, count }: ShownColumn): readonly (readonly [string, string])[] => {
  if (numeric === undefined) return [];
  const { min, median, max, mean, std, zeros } = numeric;
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
