import { scaleLinear } from 'd3-scale';
import { clip, formatNumber } from '../format.ts';
import { type HtmlValue, html, type SafeHtml } from '../html.ts';

/** Where the drawing area of a chart lies within its SVG. Units of the view box, about a pixel each. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Maps a value to a coordinate; `d3-scale`'s linear scale. */
export type Scale = ReturnType<typeof linear>;

export const linear = (domain: readonly [number, number], range: readonly [number, number], nice = true) => {
  const [low, high] = domain[0] === domain[1] ? [domain[0] - 0.5, domain[1] + 0.5] : domain;
  const scale = scaleLinear([low, high], [...range]);
  return nice ? scale.nice() : scale;
};

/** A scale from 0 to the greatest of the values, or to 1 when all are 0. */
export const fromZero = (values: readonly number[], range: readonly [number, number]): Scale =>
  linear([0, Math.max(0, ...values) || 1], range);

/** Two decimals are below what a screen shows. */
export const px = (coordinate: number): string => String(Math.round(coordinate * 100) / 100);

/** Smallest and largest of the finite values; 0 … 1 when there are none. */
export const extent = (values: Iterable<number>): [number, number] => {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : [0, 1];
};

/** The element that a reader, or a screen reader, finds: caption, drawing, legend. */
export const figure = (title: string, frame: Frame, drawing: HtmlValue, legend?: SafeHtml): SafeHtml =>
  html`<figure><figcaption>${clip(title, 120)}</figcaption><svg viewBox="0 0 ${frame.width} ${frame.height}" role="img" aria-label="${title}">${drawing}</svg>${legend}</figure>`;

export interface AxisTitles {
  readonly x?: string;
  readonly y?: string;
}

const tickText = (value: number): string => formatNumber(value, 4);

/** How ticks read and where those of the horizontal axis lie, where not as numbers at round values. */
export interface TickOptions {
  readonly x?: (value: number) => string;
  readonly xTicks?: readonly number[];
  readonly y?: (value: number) => string;
}

/** Grid lines, ticks and titles of both axes. */
export const axes = (
  frame: Frame,
  x: Scale,
  y: Scale,
  titles: AxisTitles,
  ticks: TickOptions = {},
): readonly SafeHtml[] => [
  ...verticalTicks(frame, y, ticks.y),
  ...horizontalTicks(frame, x, {
    ...(ticks.x === undefined ? {} : { text: ticks.x }),
    ...(ticks.xTicks === undefined ? {} : { ticks: ticks.xTicks }),
  }),
  html`<line class="axis" x1="${frame.left}" x2="${frame.right}" y1="${frame.bottom}" y2="${frame.bottom}"/>`,
  ...axisTitles(frame, titles),
];

const verticalTicks = (frame: Frame, y: Scale, text = tickText): readonly SafeHtml[] =>
  y
    .ticks(5)
    .map(
      (value) =>
        html`<line class="grid" x1="${frame.left}" x2="${frame.right}" y1="${px(y(value))}" y2="${px(y(value))}"/><text x="${frame.left - 7}" y="${px(y(value) + 3.5)}" text-anchor="end">${text(value)}</text>`,
    );

export interface HorizontalTickOptions {
  /** Draws lines up through the drawing. */
  readonly grid?: boolean;
  readonly text?: (value: number) => string;
  readonly ticks?: readonly number[];
}

export const horizontalTicks = (
  frame: Frame,
  x: Scale,
  { grid, text = tickText, ticks = x.ticks(5) }: HorizontalTickOptions = {},
): readonly SafeHtml[] =>
  ticks.map((value) => {
    const line = grid
      ? html`<line class="grid" x1="${px(x(value))}" x2="${px(x(value))}" y1="${frame.top}" y2="${frame.bottom}"/>`
      : undefined;
    return html`${line}<text x="${px(x(value))}" y="${frame.bottom + 16}" text-anchor="middle">${text(value)}</text>`;
  });

export const axisTitles = (frame: Frame, { x, y }: AxisTitles): readonly SafeHtml[] => [
  ...(x === undefined
    ? []
    : [
        html`<text class="strong" x="${px((frame.left + frame.right) / 2)}" y="${frame.height - 5}" text-anchor="middle">${clip(x, 60)}</text>`,
      ]),
  ...(y === undefined
    ? []
    : [
        html`<text class="strong" transform="translate(12 ${px((frame.top + frame.bottom) / 2)}) rotate(-90)" text-anchor="middle">${clip(y, 40)}</text>`,
      ]),
];

/** Colours are six; a seventh series begins again. */
export const seriesClass = (index: number): string => `series-${index % 6}`;

/** Names of the series; nothing to tell apart, no legend. */
export const legend = (names: readonly string[]): SafeHtml | undefined =>
  names.length < 2
    ? undefined
    : html`<div class="legend">${names.map(
        (name, index) => html`<span class="${seriesClass(index)}"><i></i>${clip(name, 40)}</span>`,
      )}</div>`;
