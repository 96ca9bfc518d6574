import type { Tone } from '../components.ts';
import { clip, formatNumber } from '../format.ts';
import { html, type SafeHtml } from '../html.ts';
import { axisTitles, extent, type Frame, figure, horizontalTicks, linear, px } from './frame.ts';

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Ends of a whisker. */
  readonly interval?: readonly [low: number, high: number];
  readonly tone?: Tone;
}

export interface BarChartOptions {
  readonly title: string;
  /** From top to bottom. */
  readonly bars: readonly Bar[];
  readonly x?: string;
  /** Drawn as a dashed line: a threshold, or the value of the whole. */
  readonly reference?: number;
}

const rowHeight = 24;
const top = 8;
const labelWidth = 210;

/** Horizontal bars from zero, with room for long labels. */
export const barChart = ({ title, bars, x: xTitle, reference }: BarChartOptions): SafeHtml => {
  const bottom = top + bars.length * rowHeight;
  const frame: Frame = {
    width: 1000,
    height: bottom + (xTitle === undefined ? 26 : 44),
    left: labelWidth,
    right: 920,
    top,
    bottom,
  };
  const ends = bars.flatMap(({ value, interval }) => [value, ...(interval ?? [])]);
  const x = linear(extent([0, ...ends, ...(reference === undefined ? [] : [reference])]), [
    frame.left,
    frame.right,
  ]);
  const drawBar = ({ label, value, interval, tone }: Bar, index: number) => {
    const y = top + index * rowHeight;
    const [start, end] = [Math.min(x(0), x(value)), Math.max(x(0), x(value))];
    const textAt = Math.max(end, ...(interval ?? []).map((bound) => x(bound))) + 7;
    return html`<g><title>${label}: ${formatNumber(value)}</title><text class="strong" x="${labelWidth - 9}" y="${y + 16}" text-anchor="end">${clip(label, 32)}</text><rect class="bar ${tone ?? 'series-0'}" x="${px(start)}" y="${y + 4}" width="${px(Math.max(1, end - start))}" height="${rowHeight - 8}" rx="2"/>${
      interval === undefined ? undefined : whisker(x(interval[0]), x(interval[1]), y + rowHeight / 2)
    }<text class="halo" x="${px(textAt)}" y="${y + 16}">${formatNumber(value, 4)}</text></g>`;
  };
  return figure(title, frame, [
    horizontalTicks(frame, x, { grid: true }),
    reference === undefined
      ? undefined
      : html`<line class="reference" x1="${px(x(reference))}" x2="${px(x(reference))}" y1="${top}" y2="${bottom}"/>`,
    bars.map(drawBar),
    html`<line class="axis" x1="${px(x(0))}" x2="${px(x(0))}" y1="${top}" y2="${bottom}"/>`,
    axisTitles(frame, xTitle === undefined ? {} : { x: xTitle }),
  ]);
};

const whisker = (from: number, to: number, y: number): SafeHtml =>
  html`<path class="whisker" d="M${px(from)} ${y - 4}v8M${px(from)} ${y}H${px(to)}M${px(to)} ${y - 4}v8"/>`;
