import { curveLinear, curveStepAfter, line } from 'd3-shape';
import { formatNumber } from '../format.ts';
import { html, type SafeHtml } from '../html.ts';
import {
  type AxisTitles,
  axes,
  extent,
  type Frame,
  figure,
  legend,
  linear,
  px,
  seriesClass,
} from './frame.ts';

export type Point = readonly [x: number, y: number];

export interface LineSeries {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface LineChartOptions extends AxisTitles {
  readonly title: string;
  readonly series: readonly LineSeries[];
  /** Default: the extent of the points, rounded outwards. */
  readonly xDomain?: readonly [number, number];
  readonly yDomain?: readonly [number, number];
  /** A dashed line for comparison, such as the diagonal of a ROC plot. */
  readonly reference?: readonly [Point, Point];
  readonly dots?: boolean;
  readonly step?: boolean;
  /** Over the whole width of the page. */
  readonly wide?: boolean;
}

const narrow: Frame = { width: 480, height: 320, left: 56, right: 466, top: 12, bottom: 270 };
const whole: Frame = { width: 1000, height: 340, left: 62, right: 980, top: 12, bottom: 290 };

export const lineChart = (options: LineChartOptions): SafeHtml => {
  const { title, series, reference, dots = false, step = false, wide = false } = options;
  const frame = wide ? whole : narrow;
  const all = series.flatMap(({ points }) => points);
  const x = linear(options.xDomain ?? extent(all.map(([value]) => value)), [frame.left, frame.right]);
  const y = linear(options.yDomain ?? extent(all.map(([, value]) => value)), [frame.bottom, frame.top]);
  const path = line<Point>()
    .defined(([a, b]) => Number.isFinite(a) && Number.isFinite(b))
    .x(([value]) => x(value))
    .y(([, value]) => y(value))
    .curve(step ? curveStepAfter : curveLinear)
    .digits(2);
  const drawSeries = ({ name, points }: LineSeries, index: number) =>
    html`<g class="${seriesClass(index)}"><path class="line" d="${path([...points]) ?? ''}"><title>${name}</title></path>${
      dots
        ? points.map(([a, b]) => dot(x(a), y(b), `${formatNumber(a, 4)}, ${formatNumber(b, 4)}`))
        : undefined
    }</g>`;
  const drawReference =
    reference === undefined ? undefined : html`<path class="reference" d="${path([...reference]) ?? ''}"/>`;
  return figure(
    title,
    frame,
    [axes(frame, x, y, options), drawReference, series.map(drawSeries)],
    legend(series.map(({ name }) => name)),
  );
};

const dot = (x: number, y: number, text: string): SafeHtml =>
  html`<circle class="dot" cx="${px(x)}" cy="${px(y)}" r="3.2"><title>${text}</title></circle>`;
