import type { Comparison, DatasetProfile } from '@millrace/tabular';
import { describe, expect, it } from 'vitest';
import {
  badge,
  barChart,
  beeswarm,
  clip,
  code,
  collapsed,
  columns,
  comparisonHistogram,
  comparisonSection,
  dataTable,
  environmentSection,
  escapeHtml,
  facts,
  formatBytes,
  formatNumber,
  formatTime,
  groupedBars,
  heatmap,
  histogram,
  html,
  lineChart,
  list,
  metricTable,
  miniHistogram,
  note,
  paragraph,
  parallelCoordinates,
  predictionTable,
  preformatted,
  profileSection,
  renderCard,
  SafeHtml,
  scatterPlot,
  schemaTable,
  shareBars,
  shortDigest,
  subheading,
  table,
  tiles,
  warningsSection,
} from '../src/index.ts';
import { activeContent, hostileTexts, nestingFaults, structureOf } from '../src/testing/hostile.ts';

/** A profile of a numeric column, a text column, and one without values. */
const profileOf = (text: string): DatasetProfile => ({
  version: 1,
  rowCount: 5,
  columns: [
    {
      ...{ name: text, type: 'number', count: 4, missing: 1, distinct: 4, distinctApproximate: true },
      numeric: {
        ...{ min: 0, max: 4, mean: 2, std: 1, zeros: 1, sample: [0, 1, 3, 4] },
        quantiles: { '0.5': 2 },
        bins: { edges: [0, 4], counts: [4] },
        histogram: { edges: [0, 2, 4], counts: [2, 2] },
      },
    },
    {
      ...{ name: text, type: 'string', count: 5, missing: 0, distinct: 2, distinctApproximate: false },
      categorical: { top: [{ value: text, count: 3 }], other: 2 },
      length: { min: 1, max: 9, mean: 4 },
    },
    { ...{ name: text, type: 'string', count: 0, missing: 5, distinct: 0, distinctApproximate: false } },
  ],
});

const comparisonOf = (text: string): Comparison => ({
  names: [text, 'b'],
  rows: [4, 2],
  columns: [
    {
      ...{ name: text, type: 'timestamp' },
      parts: [
        { count: 4, missing: 0, min: 0, median: 1, max: 2, mean: 1, std: 1, zeros: 1 },
        { count: 0, missing: 2 },
      ],
      histogram: {
        edges: [0, 1, 2],
        counts: [
          [2, 2],
          [0, 0],
        ],
      },
    },
    {
      ...{ name: text, type: 'string' },
      parts: [
        { count: 4, missing: 0 },
        { count: 2, missing: 0 },
      ],
      categories: { values: [text], counts: [[3], [2]], other: [1, 0] },
    },
    {
      name: text,
      type: 'boolean',
      parts: [
        { count: 0, missing: 4 },
        { count: 0, missing: 2 },
      ],
    },
  ],
});

/** Every helper with `text` wherever it takes text. */
const cardOf = (text: string): string =>
  renderCard({
    title: text,
    subtitle: text,
    badge: badge(text, 'good'),
    footer: text,
    sections: [
      {
        title: text,
        content: [
          paragraph(text),
          note(text),
          code(text),
          subheading(text),
          facts([[text, text]]),
          tiles([{ label: text, value: text, detail: text }]),
          table({ caption: text, columns: [{ title: text }], rows: [[text], [code(text)]] }),
          columns([paragraph(text)]),
          barChart({
            title: text,
            bars: [{ label: text, value: 1, interval: [0.5, 2] }],
            x: text,
            reference: 1,
          }),
          lineChart({
            title: text,
            series: [
              { name: text, points: [[0, 1]] },
              { name: text, points: [[1, 2]] },
            ],
            x: text,
            y: text,
            dots: true,
          }),
          scatterPlot({ title: text, points: [[1, 2]], x: text, y: text, diagonal: true, level: 1 }),
          heatmap({ title: text, rows: [text], columns: [text], values: [[1]], x: text, y: text }),
          histogram({ title: text, buckets: [{ from: 0, to: 1, count: 2 }], x: text, y: text }),
          comparisonHistogram({
            title: text,
            edges: [0, 1, 2],
            series: [
              { name: text, counts: [1, 2] },
              { name: text, counts: [0, 1] },
            ],
            x: text,
          }),
          groupedBars({ title: text, series: [text, text], groups: [{ label: text, shares: [0.5, 1] }] }),
          miniHistogram([{ from: 0, to: 1, count: 2 }], text),
          shareBars([{ label: text, count: 1 }], 1),
          parallelCoordinates({
            title: text,
            axes: [{ name: text, log: true }, { name: text }, { name: text }],
            lines: [
              { name: text, values: [1, text, 3], rank: 1, best: true },
              { name: text, values: [2, 'b', 4], rank: 0 },
            ],
          }),
          beeswarm({
            title: text,
            rows: [{ label: text, points: [{ value: 1, shade: 0.5 }, { value: 2 }] }],
            x: text,
          }),
          preformatted(text),
          list([text]),
          collapsed(text, [paragraph(text)]),
          ...dataTable({ columns: [{ name: text }, { name: text, type: text }], rows: [[text, null]] }, text),
          schemaTable([{ name: text, type: text, nullable: true }]),
          metricTable({ columns: [{ title: text, metrics: { [text]: 1 } }], primary: text, custom: [text] }),
          predictionTable({ columns: [text], rows: [[text]] }, text),
        ],
      },
      profileSection({ title: text, profile: profileOf(text), remark: text }),
      comparisonSection(text, comparisonOf(text)),
      environmentSection({ runtimes: [[text, text]], lockDigest: text, packages: { [text]: text } }),
      ...[warningsSection([text])].filter((section) => section !== undefined),
    ],
  });

describe('hostile text', () => {
  it.each(hostileTexts)('%j changes nothing in the structure of a card', (text) => {
    const page = cardOf(text);
    // The innocent text is as long, so that both are cut alike.
    expect(structureOf(page)).toEqual(structureOf(cardOf('a'.repeat(text.length))));
    expect(activeContent(page)).toEqual([]);
    expect(nestingFaults(page)).toEqual([]);
    for (const control of ['\u0000', '\u001b']) expect(page).not.toContain(control);
  });

  it('is escaped in content and attributes', () => {
    expect(escapeHtml(`<a href="x" id='y'>&\`\u0000`)).toBe(
      '&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;&#96;\ufffd',
    );
  });
});

describe('html', () => {
  it('escapes values, keeps what is safe, joins lists and drops nothing', () => {
    const safe = html`<b>${'<'}</b>`;
    expect(html`${safe}${['&', safe]}${undefined}${3}`.text).toBe('<b>&lt;</b>&amp;<b>&lt;</b>3');
    expect(safe).toBeInstanceOf(SafeHtml);
  });
});

describe('a card', () => {
  const page = cardOf('text');

  it('is one page that fetches and runs nothing', () => {
    expect(page.startsWith('<!doctype html>')).toBe(true);
    expect(page).toContain("default-src 'none'");
    expect(activeContent(page)).toEqual([]);
    expect([...page.matchAll(/href="([^"]*)"/g)].map(([, target]) => target)).toEqual(
      Array.from({ length: 5 }, (_, section) => `#s${section}`),
    );
  });

  it('follows the reader between light and dark', () => {
    expect(page).toContain('prefers-color-scheme: dark');
  });

  it('is the same for the same input', () => {
    expect(cardOf('text')).toBe(page);
  });

  it('holds no number that a browser cannot draw', () => {
    const odd = [
      lineChart({ title: 'one point', series: [{ name: 'a', points: [[3, 3]] }] }),
      lineChart({ title: 'none', series: [{ name: 'a', points: [] }] }),
      lineChart({
        title: 'infinite',
        series: [
          {
            name: 'a',
            points: [
              [0, 1],
              [1, Infinity],
              [2, 2],
            ],
          },
        ],
      }),
      scatterPlot({ title: 'none', points: [], diagonal: true }),
      barChart({ title: 'zero', bars: [{ label: 'a', value: 0 }] }),
      barChart({ title: 'none', bars: [] }),
      barChart({ title: 'negative', bars: [{ label: 'a', value: -2, interval: [-3, -1] }] }),
      histogram({ title: 'one value', buckets: [{ from: 2, to: 2, count: 5 }] }),
      histogram({ title: 'none', buckets: [] }),
      comparisonHistogram({ title: 'one value', edges: [3, 3], series: [{ name: 'a', counts: [2] }] }),
      comparisonHistogram({ title: 'no rows', edges: [0, 1], series: [{ name: 'a', counts: [0] }] }),
      comparisonHistogram({
        title: 'huge',
        edges: [-1.7e308, 0, 1.7e308],
        series: [{ name: 'a', counts: [1, 1] }],
      }),
      groupedBars({ title: 'none', series: [], groups: [] }),
      miniHistogram([], 'none'),
      shareBars([{ label: '', count: 0 }], 0),
      beeswarm({ title: 'none', rows: [] }),
      beeswarm({ title: 'odd', rows: [{ label: 'a', points: [{ value: Number.NaN }, { value: 1 }] }] }),
      parallelCoordinates({
        title: 'one axis',
        axes: [{ name: 'a' }],
        lines: [{ name: 'x', values: [1], rank: 1 }],
      }),
      parallelCoordinates({
        title: 'gaps',
        axes: [{ name: 'a', log: true }, { name: 'b' }],
        lines: [
          { name: 'x', values: [0, undefined], rank: Number.NaN },
          { name: 'y', values: [Number.POSITIVE_INFINITY, 2], rank: 0.5 },
          { name: 'z', values: [2, 2], rank: 1 },
        ],
      }),
      heatmap({ title: 'empty row', rows: ['a'], columns: ['b'], values: [[0]] }),
    ];
    for (const { text } of odd) expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('numbers', () => {
  it.each([
    [0.123456789, '0.123457'],
    [1234.5678, '1,234.57'],
    [-0.5, '−0.5'],
    [1_234_567, '1,234,567'],
    [5.164e14, '5.164 × 10¹⁴'],
    [-1.5e-7, '−1.500 × 10⁻⁷'],
    [0, '0'],
    [Number.NaN, '–'],
    [undefined, '–'],
    [Number.POSITIVE_INFINITY, '∞'],
  ])('%d reads %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it('of times and bytes read as people write them', () => {
    expect(formatTime(Date.UTC(2013, 0, 31))).toBe('2013-01-31');
    expect(formatTime(Date.UTC(2013, 0, 31, 5, 30))).toBe('2013-01-31 05:30');
    expect(formatTime(9e15)).toBe('–');
    expect([0, 999, 1500, 2.5e9].map(formatBytes)).toEqual(['0 B', '999 B', '1.5 kB', '2.5 GB']);
  });

  it('and texts are cut by characters, not by half of one', () => {
    expect(clip('a😀b', 3)).toBe('a😀b');
    expect(clip('a😀bc', 3)).toBe('a😀…');
    expect(shortDigest(`sha256:${'ab'.repeat(32)}`)).toBe('sha256:abababababab');
  });
});

describe('a table of metrics', () => {
  it('has the primary one first and the project’s own next, in bold, then the others by name', () => {
    const { text } = metricTable({
      columns: [{ title: 'Validation', metrics: { zeta: 3, alpha: 1.23456789, own: 2, main: 0.5 } }],
      primary: 'main',
      custom: ['own'],
    });
    const rows = [...text.matchAll(/<tr( class="strong")?><td[^>]*>([^<]*)<\/td><td[^>]*>([^<]*)</g)];
    expect(rows.map(([, strong, name, value]) => [strong !== undefined, name, value])).toEqual([
      [true, 'main (primary)', '0.5'],
      [true, 'own', '2'],
      [false, 'alpha', '1.23457'],
      [false, 'zeta', '3'],
    ]);
  });
});

describe('a profile', () => {
  const textOf = (profile: DatasetProfile | Comparison) =>
    profileSection({ title: 'Data profile', profile }).content.map(String).join('');

  it('tells counts, missing values, distribution and figures of each column', () => {
    const text = textOf(profileOf('speed'));
    for (const fact of ['1 (20 %)', '≈ 4', '0 to 2: 2', '60 %', 'all others', 'No values'])
      expect(text).toContain(fact);
  });

  it('from before equal buckets were counted is drawn from its sample', () => {
    const profile = profileOf('speed');
    const [first, ...rest] = profile.columns;
    const { histogram: _, zeros: __, ...numeric } = first?.numeric ?? { sample: [] };
    const old = { ...profile, columns: [{ ...first, numeric }, ...rest] } as DatasetProfile;
    expect(textOf(old).match(/<rect class="bar"/g)).toHaveLength(20);
  });

  it('can be the first table of a comparison', () => {
    const text = textOf(comparisonOf('at'));
    for (const fact of ['1970-01-01', '75 %', 'Missing values']) expect(text).toContain(fact);
  });

  it('leaves out columns that a page would drown in, and says so', () => {
    const {
      columns: [first],
    } = profileOf('a');
    const columns = Array.from({ length: 130 }, (_, index) => ({ ...first!, name: `c${index}` }));
    const text = textOf({ version: 1, rowCount: 5, columns });
    expect(text.match(/<article/g)).toHaveLength(100);
    expect(text).toContain('30 more columns are not shown.');
  });
});
