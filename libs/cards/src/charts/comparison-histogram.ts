import { scaleUtc } from 'd3-scale';
import { formatNumber, formatPercent, formatTime } from '../format.ts';
import { html, type SafeHtml } from '../html.ts';
import { axes, type Frame, figure, fromZero, legend, linear, px, type Scale, seriesClass } from './frame.ts';

export interface ComparedCounts {
  readonly name: string;
  /** One for each bucket. */
  readonly counts: readonly number[];
}

export interface ComparisonHistogramOptions {
  readonly title: string;
  /** Ascending, one more than buckets; two equal edges for a single value. Milliseconds since the epoch for times. */
  readonly edges: readonly number[];
  readonly series: readonly ComparedCounts[];
  readonly time?: boolean;
  readonly x?: string;
  /** Default true: names the series below. */
  readonly legend?: boolean;
}

const frame: Frame = { width: 480, height: 220, left: 50, right: 466, top: 10, bottom: 180 };

/** Distributions on top of each other, each as shares of its own rows, so that their sizes do not matter. */
export const comparisonHistogram = (options: ComparisonHistogramOptions): SafeHtml => {
  const { title, edges, series, time = false, x: xTitle, legend: named = true } = options;
  // The distance between enormous values is no number any more.
  const unit = Number.isFinite((edges.at(-1) ?? 1) - (edges[0] ?? 0)) ? 1 : 4;
  const places = edges.map((edge) => edge / unit);
  const shares = series.map(({ name, counts }) => ({ name, shares: sharesOf(counts) }));
  const x = linear([places[0] ?? 0, places.at(-1) ?? 1], [frame.left, frame.right], false);
  const y = fromZero(
    shares.flatMap((one) => one.shares),
    [frame.bottom, frame.top],
  );
  const titles = xTitle === undefined ? {} : { x: xTitle };
  return figure(
    title,
    xTitle === undefined ? { ...frame, height: 202 } : frame,
    [
      axes(frame, x, y, titles, {
        y: formatPercent,
        ...(time ? { xTicks: timeTicks(edges), x: formatTime } : { x: (at) => formatNumber(at * unit, 4) }),
      }),
      shares.map((one, index) => outline(one.name, one.shares, places, x, y, index)),
    ],
    named ? legend(series.map(({ name }) => name)) : undefined,
  );
};

const sharesOf = (counts: readonly number[]): number[] => {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (total === 0 ? 0 : count / total));
};

const timeTicks = (edges: readonly number[]): number[] =>
  scaleUtc([edges[0] ?? 0, edges.at(-1) ?? 1], [0, 1])
    .ticks(3)
    .map((date) => date.getTime());

/** The upper edge of the bars as one line, filled down to the axis. */
const outline = (
  name: string,
  shares: readonly number[],
  edges: readonly number[],
  x: Scale,
  y: Scale,
  index: number,
): SafeHtml => {
  const single = edges[0] === edges.at(-1);
  const at = (bucket: number) =>
    single ? x(edges[0] ?? 0) + (bucket === 0 ? -6 : 6) : x(edges[bucket] ?? 0);
  const steps = shares.map((share, bucket) => `V${px(y(share))}H${px(at(bucket + 1))}`);
  const path = `M${px(at(0))} ${px(y(0))}${steps.join('')}V${px(y(0))}Z`;
  return html`<g class="${seriesClass(index)}"><path class="outline" d="${path}"><title>${name}</title></path></g>`;
};
