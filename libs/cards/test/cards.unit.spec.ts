import { describe, expect, it } from 'vitest';
import {
  badge,
  barChart,
  clip,
  code,
  columns,
  escapeHtml,
  facts,
  formatNumber,
  heatmap,
  histogram,
  html,
  lineChart,
  note,
  paragraph,
  renderCard,
  SafeHtml,
  scatterPlot,
  shortDigest,
  subheading,
  table,
  tiles,
} from '../src/index.ts';

/** Texts that break out of an element, an attribute, a comment, a style or a script when they are not escaped. */
const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</title><script>alert(1)</script>',
  '</style><script>alert(1)</script>',
  '--><script>alert(1)</script>',
  '<svg/onload=alert(1)>',
  '`$'.concat('{alert(1)}`'),
  '&lt;script&gt;',
  'javascript:alert(1)',
  '\u0000<b>\u001b[31m',
];

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
        ],
      },
    ],
  });

/** The structure of a page: its tags with their attributes' names, text left out. */
const structureOf = (page: string): string[] =>
  [...page.matchAll(/<(\/?[a-zA-Z!][^\s/>]*)((?:[^>"]|"[^"]*")*)>/g)].map(
    ([, tag, attributes = '']) =>
      `${tag} ${[...attributes.replace(/"[^"]*"/g, '').matchAll(/([\w:-]+)=/g)].map(([, name]) => name).join(' ')}`,
  );

describe('hostile text', () => {
  it.each(hostile)('%j changes nothing in the structure of a card', (text) => {
    const page = cardOf(text);
    // The innocent text is as long, so that both are cut alike.
    expect(structureOf(page)).toEqual(structureOf(cardOf('a'.repeat(text.length))));
    expect(page).not.toMatch(/<script|<img|<svg\//);
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
    expect(page).not.toMatch(/<script|<link|<iframe|\ssrc=|@import|url\(/);
    expect([...page.matchAll(/href="([^"]*)"/g)].map(([, target]) => target)).toEqual(['#s0']);
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

  it('and texts are cut by characters, not by half of one', () => {
    expect(clip('a😀b', 3)).toBe('a😀b');
    expect(clip('a😀bc', 3)).toBe('a😀…');
    expect(shortDigest(`sha256:${'ab'.repeat(32)}`)).toBe('sha256:abababababab');
  });
});
