import { clip, formatPercent } from '../format.ts';
import { html, type SafeHtml } from '../html.ts';
import { type Frame, figure, fromZero, horizontalTicks, legend, px, seriesClass } from './frame.ts';

export interface BarGroup {
  readonly label: string;
  /** One for each series, 0 … 1. */
  readonly shares: readonly number[];
}

export interface GroupedBarsOptions {
  readonly title: string;
  readonly series: readonly string[];
  /** From top to bottom. */
  readonly groups: readonly BarGroup[];
  /** Default true: names the series below. */
  readonly legend?: boolean;
}

const barHeight = 9;
const gap = 9;
const top = 4;

/** Shares of several tables for each value, one bar per table. */
export const groupedBars = ({
  title,
  series,
  groups,
  legend: named = true,
}: GroupedBarsOptions): SafeHtml => {
  const groupHeight = series.length * barHeight + gap;
  const bottom = top + groups.length * groupHeight;
  const frame: Frame = { width: 480, height: bottom + 24, left: 120, right: 440, top, bottom };
  const x = fromZero(
    groups.flatMap(({ shares }) => shares),
    [frame.left, frame.right],
  );
  const draw = ({ label, shares }: BarGroup, group: number) => {
    const y = top + group * groupHeight + gap / 2;
    return html`<text class="strong" x="${frame.left - 8}" y="${px(y + (series.length * barHeight) / 2 + 4)}" text-anchor="end">${label === '' ? '(empty)' : clip(label, 17)}<title>${label}</title></text>${shares.map(
      (share, index) =>
        html`<g class="${seriesClass(index)}"><rect class="bar" x="${frame.left}" y="${px(y + index * barHeight)}" width="${px(Math.max(0.5, x(share) - frame.left))}" height="${barHeight - 1.5}"><title>${label}, ${series[index]}: ${formatPercent(share)}</title></rect></g>`,
    )}`;
  };
  return figure(
    title,
    frame,
    [
      horizontalTicks(frame, x, { grid: true, text: formatPercent, ticks: x.ticks(4) }),
      groups.map(draw),
      html`<line class="axis" x1="${frame.left}" x2="${frame.left}" y1="${top}" y2="${bottom}"/>`,
    ],
    named ? legend(series) : undefined,
  );
};
