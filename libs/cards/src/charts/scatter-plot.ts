import { html, type SafeHtml } from '../html.ts';
import { type AxisTitles, axes, extent, type Frame, figure, linear, px } from './frame.ts';
import type { Point } from './line-chart.ts';

export interface ScatterPlotOptions extends AxisTitles {
  readonly title: string;
  readonly points: readonly Point[];
  /** Draws y = x and gives both axes one scale. */
  readonly diagonal?: boolean;
  /** Draws y = this. */
  readonly level?: number;
}

const frame: Frame = { width: 480, height: 340, left: 60, right: 466, top: 12, bottom: 290 };

/** A cloud of points; give it at most a few thousand. */
export const scatterPlot = (options: ScatterPlotOptions): SafeHtml => {
  const { title, points, diagonal = false, level } = options;
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const both = extent([...xs, ...ys]);
  const x = linear(diagonal ? both : extent(xs), [frame.left, frame.right]);
  const y = linear(diagonal ? both : extent(level === undefined ? ys : [...ys, level]), [
    frame.bottom,
    frame.top,
  ]);
  const reference = (from: Point, to: Point) =>
    html`<line class="reference" x1="${px(x(from[0]))}" y1="${px(y(from[1]))}" x2="${px(x(to[0]))}" y2="${px(y(to[1]))}"/>`;
  const [low = 0, high = 1] = x.domain();
  return figure(title, frame, [
    axes(frame, x, y, options),
    html`<g class="series-0">${points.map(
      ([a, b]) => html`<circle class="cloud" cx="${px(x(a))}" cy="${px(y(b))}" r="2.6"/>`,
    )}</g>`,
    diagonal ? reference([low, low], [high, high]) : undefined,
    level === undefined ? undefined : reference([low, level], [high, level]),
  ]);
};
