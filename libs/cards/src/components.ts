import { clip } from './format.ts';
import { type HtmlValue, html, type SafeHtml } from './html.ts';

/** How a badge or bar judges what it shows. */
export type Tone = 'good' | 'bad' | 'warn' | 'plain';

export const badge = (text: string, tone: Tone = 'plain'): SafeHtml =>
  html`<span class="badge ${tone}">${text}</span>`;

export const paragraph = (...content: readonly HtmlValue[]): SafeHtml => html`<p>${content}</p>`;

/** A remark in smaller print. */
export const note = (...content: readonly HtmlValue[]): SafeHtml => html`<p class="note">${content}</p>`;

/** Monospaced text: digests, ids, expressions. */
export const code = (text: string): SafeHtml => html`<code>${text}</code>`;

export interface TableColumn {
  readonly title: string;
  /** Right-aligned, with digits of equal width. */
  readonly numeric?: boolean;
}

export interface TableOptions {
  readonly caption?: string;
  readonly columns: readonly TableColumn[];
  /** Cells by row. Text longer than 200 characters is cut. */
  readonly rows: readonly (readonly HtmlValue[])[];
  /** Rows to set in bold. */
  readonly strong?: ReadonlySet<number>;
}

const longestCell = 200;
/** Up to here a cell is kept on one line: a name, a date, a code. */
const longestUnbroken = 24;

/** A table; wider than the page, it scrolls by itself. */
export const table = ({ caption, columns, rows, strong }: TableOptions): SafeHtml => {
  const classOf = (index: number) => (columns[index]?.numeric ? html` class="number"` : undefined);
  const cell = (value: HtmlValue, index: number) => {
    const unbroken = typeof value === 'string' && value.length <= longestUnbroken;
    const attribute = classOf(index) ?? (unbroken ? html` class="unbroken"` : undefined);
    return html`<td${attribute}>${typeof value === 'string' ? clip(value, longestCell) : value}</td>`;
  };
  const row = (cells: readonly HtmlValue[], index: number) =>
    html`<tr${strong?.has(index) ? html` class="strong"` : undefined}>${cells.map(cell)}</tr>`;
  const head = columns.map(
    ({ title }, index) => html`<th scope="col"${classOf(index)}>${clip(title, 60)}</th>`,
  );
  return html`<div class="scroll"><table>${caption === undefined ? undefined : html`<caption>${caption}</caption>`}<thead><tr>${head}</tr></thead><tbody>${rows.map(row)}</tbody></table></div>`;
};

/** Names with their values, one pair a line. */
export const facts = (pairs: readonly (readonly [label: string, value: HtmlValue])[]): SafeHtml =>
  html`<dl class="facts">${pairs.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>`;

export interface Tile {
  readonly label: string;
  readonly value: string;
  readonly detail?: string;
}

/** Headline figures side by side. */
export const tiles = (all: readonly Tile[]): SafeHtml =>
  html`<div class="tiles">${all.map(
    ({ label, value, detail }) =>
      html`<div class="tile"><div class="label">${label}</div><div class="value">${value}</div>${
        detail === undefined ? undefined : html`<div class="detail">${detail}</div>`
      }</div>`,
  )}</div>`;

/** Puts blocks side by side where the page is wide enough. */
export const columns = (blocks: readonly (SafeHtml | readonly SafeHtml[])[]): SafeHtml =>
  html`<div class="columns">${blocks.map((block) => html`<div>${block}</div>`)}</div>`;

export const subheading = (text: string): SafeHtml => html`<h3>${text}</h3>`;

const longestText = 20_000;

/** Text as it stands, line by line: a description, the frames of an error. Longer than 20,000 characters it is cut. */
export const preformatted = (text: string): SafeHtml => html`<pre>${clip(text, longestText)}</pre>`;

/** Folded away until the reader opens it. */
export const collapsed = (summary: string, content: readonly SafeHtml[]): SafeHtml =>
  html`<details><summary>${summary}</summary>${content}</details>`;

/** Texts one below the other. */
export const list = (items: readonly HtmlValue[]): SafeHtml =>
  html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`;
