import { clip, formatNumber } from '../format.ts';
import { html, type SafeHtml } from '../html.ts';
import { axisTitles, extent, type Frame, figure, horizontalTicks, linear, px } from './frame.ts';

export interface SwarmPoint {
  /** Where it lies. */
  readonly value: number;
  /** 0 … 1, its colour from low to high; absent for values without order. */
  readonly shade?: number;
}

export interface SwarmRow {
  readonly label: string;
  readonly points: readonly SwarmPoint[];
}

export interface BeeswarmOptions {
  readonly title: string;
  /** From top to bottom. */
  readonly rows: readonly SwarmRow[];
  readonly x?: string;
}

const rowHeight = 30;
const top = 6;
const slots = 110;

/** Points of each row along one axis, piled up where they are many. A few hundred a row are enough. */
export const beeswarm = ({ title, rows, x: xTitle }: BeeswarmOptions): SafeHtml => {
  const bottom = top + rows.length * rowHeight;
  const frame: Frame = { width: 1000, height: bottom + 44, left: 210, right: 960, top, bottom };
  const x = linear(extent([0, ...rows.flatMap(({ points }) => points.map(({ value }) => value))]), [
    frame.left,
    frame.right,
  ]);
  const draw = ({ label, points }: SwarmRow, row: number) => {
    const middle = top + (row + 0.5) * rowHeight;
    return html`<text class="strong" x="${frame.left - 9}" y="${px(middle + 4)}" text-anchor="end">${clip(label, 32)}<title>${label}</title></text>${pile(
      points,
      x,
      frame,
    ).map(
      ({ at, offset, shade, value }) =>
        html`<circle class="${shade === undefined ? 'cloud' : `swarm-${shadeOf(shade)}`}" cx="${px(at)}" cy="${px(middle + offset)}" r="2.3"><title>${label}: ${formatNumber(value, 4)}</title></circle>`,
    )}`;
  };
  return figure(
    title,
    frame,
    [
      horizontalTicks(frame, x, { grid: true }),
      html`<line class="axis" x1="${px(x(0))}" x2="${px(x(0))}" y1="${top}" y2="${bottom}"/>`,
      html`<g class="series-0">${rows.map(draw)}</g>`,
      axisTitles(frame, xTitle === undefined ? {} : { x: xTitle }),
    ],
    html`<div class="legend"><span>value of the feature: low</span>${[0, 1, 2, 3, 4].map((shade) => html`<i class="swarm-${shade}"></i>`)}<span>high</span></div>`,
  );
};

const shadeOf = (shade: number): number => Math.min(4, Math.max(0, Math.floor(shade * 5)));

interface Piled extends SwarmPoint {
  readonly at: number;
  readonly offset: number;
}

/** Moves points of one slot away from each other, alternately up and down, within the row. */
const pile = (
  points: readonly SwarmPoint[],
  x: ReturnType<typeof linear>,
  { left, right }: Frame,
): Piled[] => {
  const finite = points.filter(({ value }) => Number.isFinite(value));
  const slotOf = ({ value }: SwarmPoint) => Math.round(((x(value) - left) / (right - left)) * slots);
  const sizes = new Map<number, number>();
  for (const point of finite) sizes.set(slotOf(point), (sizes.get(slotOf(point)) ?? 0) + 1);
  const seen = new Map<number, number>();
  return finite.map((point) => {
    const slot = slotOf(point);
    const index = seen.get(slot) ?? 0;
    seen.set(slot, index + 1);
    const distance = Math.min(3, (rowHeight - 8) / Math.max(1, sizes.get(slot) ?? 1));
    const offset = (index % 2 === 0 ? 1 : -1) * Math.ceil(index / 2) * distance;
    return { ...point, at: x(point.value), offset };
  });
};
