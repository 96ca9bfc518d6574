import { clip, formatNumber } from '../format.ts';
import { html, type SafeHtml } from '../html.ts';
import { axisTitles, type Frame, figure, px } from './frame.ts';

export interface HeatmapOptions {
  readonly title: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** `values[row][column]`, shown as text. */
  readonly values: readonly (readonly number[])[];
  /** Strength of the colour, 0 … 1; default the share of the row's sum. */
  readonly shares?: readonly (readonly number[])[];
  readonly x?: string;
  readonly y?: string;
}

const left = 104;
const top = 30;

/** A matrix of cells, at its most readable up to about 15 × 15. */
export const heatmap = (options: HeatmapOptions): SafeHtml => {
  const { title, rows, columns, values, shares = values.map(shareOfSum) } = options;
  const cellWidth = 370 / columns.length;
  const cellHeight = Math.min(110, Math.max(22, 260 / rows.length));
  const bottom = top + rows.length * cellHeight;
  const frame: Frame = { width: 480, height: bottom + 26, left, right: left + 370, top, bottom };
  const fits = cellWidth >= 34;
  const cell = (row: number, column: number) => {
    const x = left + column * cellWidth;
    const y = top + row * cellHeight;
    const share = shares[row]?.[column] ?? 0;
    const value = values[row]?.[column] ?? 0;
    const size = html`x="${px(x)}" y="${px(y)}" width="${px(cellWidth)}" height="${px(cellHeight)}"`;
    return html`<g><title>${rows[row]} → ${columns[column]}: ${formatNumber(value)} (${formatNumber(share * 100, 3)} %)</title><rect class="cell-ground" ${size}/><rect class="cell" ${size} fill-opacity="${px(0.04 + 0.96 * share)}"/>${
      fits
        ? html`<text class="${share > 0.5 ? 'inverse' : 'strong'}" x="${px(x + cellWidth / 2)}" y="${px(y + cellHeight / 2 + 4)}" text-anchor="middle">${formatNumber(value, 4)}</text>`
        : undefined
    }</g>`;
  };
  return figure(title, frame, [
    columns.map(
      (name, column) =>
        html`<text x="${px(left + (column + 0.5) * cellWidth)}" y="${top - 8}" text-anchor="middle">${clip(name, Math.max(2, Math.floor(cellWidth / 6)))}</text>`,
    ),
    rows.map(
      (name, row) =>
        html`<text x="${left - 8}" y="${px(top + (row + 0.5) * cellHeight + 4)}" text-anchor="end">${clip(name, 12)}</text>`,
    ),
    rows.map((_, row) => columns.map((__, column) => cell(row, column))),
    axisTitles(frame, options),
  ]);
};

const shareOfSum = (row: readonly number[]): readonly number[] => {
  const sum = row.reduce((total, value) => total + value, 0);
  return row.map((value) => (sum === 0 ? 0 : value / sum));
};
