import { clip, formatNumber, formatPercent } from '../format.ts';
import { html, type SafeHtml } from '../html.ts';
import { px } from './frame.ts';
import type { HistogramBucket } from './histogram.ts';

const width = 240;
const height = 100;

/** A histogram without axes, to stand beside the figures of a column. Buckets ascend. */
export const miniHistogram = (buckets: readonly HistogramBucket[], label: string): SafeHtml => {
  const most = Math.max(1, ...buckets.map(({ count }) => count));
  const step = width / Math.max(1, buckets.length);
  const bars = buckets.map(({ from, to, count }, index) => {
    // A bucket with few values must not look empty.
    const size = count === 0 ? 0 : Math.max(1.5, (count / most) * (height - 4));
    return html`<rect class="bar" x="${px(index * step + 0.5)}" y="${px(height - size)}" width="${px(Math.max(1, step - 1))}" height="${px(size)}"><title>${formatNumber(from, 4)} to ${formatNumber(to, 4)}: ${formatNumber(count)}</title></rect>`;
  });
  return html`<svg class="mini" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}"><g class="series-0">${bars}</g><line class="axis" x1="0" x2="${width}" y1="${height - 0.5}" y2="${height - 0.5}"/></svg>`;
};

/** A bar that is full at 1. */
export const meter = (share: number, tone: 'plain' | 'warn' = 'plain'): SafeHtml => {
  const part = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  return html`<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect class="meter-ground" width="100" height="6"/><rect class="meter-${tone}" width="${px(part * 100)}" height="6"/></svg>`;
};

export interface ShareOfRows {
  readonly label: string;
  readonly count: number;
}

/** Values with their share of `total`, a bar each, as an ordered list. */
export const shareBars = (values: readonly ShareOfRows[], total: number): SafeHtml =>
  html`<ol class="shares">${values.map(({ label, count }) => {
    const share = total === 0 ? 0 : count / total;
    return html`<li><span title="${label}">${label === '' ? html`<em>empty</em>` : clip(label, 40)}</span>${meter(share)}<span class="number">${formatPercent(share)}</span></li>`;
  })}</ol>`;
