import { formatNumber } from '../format.ts';
import { html, type SafeHtml } from '../html.ts';
import { type AxisTitles, axes, type Frame, figure, linear, px } from './frame.ts';

export interface HistogramBucket {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

export interface HistogramOptions extends AxisTitles {
  readonly title: string;
  readonly buckets: readonly HistogramBucket[];
}

const frame: Frame = { width: 480, height: 280, left: 56, right: 466, top: 12, bottom: 230 };

/** Counts over adjoining buckets in ascending order. */
export const histogram = ({ title, buckets, ...titles }: HistogramOptions): SafeHtml => {
  const from = buckets[0]?.from ?? 0;
  const to = buckets.at(-1)?.to ?? 1;
  const x = linear([from, to], [frame.left, frame.right], false);
  const y = linear([0, Math.max(1, ...buckets.map(({ count }) => count))], [frame.bottom, frame.top]);
  const width = (bucket: HistogramBucket) => Math.max(2, x(bucket.to) - x(bucket.from) - 1);
  const start = (bucket: HistogramBucket) =>
    bucket.from === bucket.to ? x(bucket.from) - 1 : x(bucket.from);
  return figure(title, frame, [
    axes(frame, x, y, titles),
    html`<g class="series-0">${buckets.map(
      (bucket) =>
        html`<rect class="bar" x="${px(start(bucket))}" y="${px(y(bucket.count))}" width="${px(width(bucket))}" height="${px(frame.bottom - y(bucket.count))}"><title>${formatNumber(bucket.from, 4)} to ${formatNumber(bucket.to, 4)}: ${formatNumber(bucket.count)}</title></rect>`,
    )}</g>`,
  ]);
};
