import { clip, formatNumber } from '../format.ts';
import { html, type SafeHtml } from '../html.ts';
import { extent, type Frame, figure, linear, px } from './frame.ts';

/** A value on an axis: a number, or one of a few names. */
export type AxisValue = number | string | undefined;

export interface ParallelAxis {
  readonly name: string;
  /** Draws the logarithm; taken only when every value is above 0. */
  readonly log?: boolean;
}

export interface ParallelLine {
  readonly name: string;
  /** One for each axis; a line skips an axis where it has none. */
  readonly values: readonly AxisValue[];
  /** 0 … 1: how good it is among all, which is its colour. */
  readonly rank: number;
  /** Drawn on top and thicker. */
  readonly best?: boolean;
}

export interface ParallelCoordinatesOptions {
  readonly title: string;
  /** At least one; the last one is usually what was optimised. */
  readonly axes: readonly ParallelAxis[];
  readonly lines: readonly ParallelLine[];
}

const frame: Frame = { width: 1000, height: 330, left: 70, right: 930, top: 40, bottom: 300 };
/** Names on an axis: more cannot be read. */
const mostNames = 12;

/** Trials of a search: an axis for each parameter, a line for each trial. */
export const parallelCoordinates = ({ title, axes, lines }: ParallelCoordinatesOptions): SafeHtml => {
  const step = (frame.right - frame.left) / Math.max(1, axes.length - 1);
  const xOf = (index: number) =>
    axes.length === 1 ? (frame.left + frame.right) / 2 : frame.left + index * step;
  const scales = axes.map((axis, index) =>
    scaleOf(
      axis,
      lines.map(({ values }) => values[index]),
    ),
  );
  const draw = ({ name, values, rank, best }: ParallelLine) => {
    const points = values.flatMap((value, index) => {
      const y = value === undefined ? undefined : scales[index]?.position(value);
      return y === undefined ? [] : [`${px(xOf(index))} ${px(y)}`];
    });
    if (points.length < 2) return undefined;
    return html`<path class="${best === true ? 'trial best' : `trial rank-${shadeOf(rank)}`}" d="M${points.join('L')}"><title>${name}</title></path>`;
  };
  // Good ones last, so that they lie on top.
  const ordered = lines.toSorted(
    (a, b) => Number(a.best ?? false) - Number(b.best ?? false) || a.rank - b.rank,
  );
  return figure(title, frame, [
    ordered.map(draw),
    axes.map((axis, index) => drawAxis(axis, scales[index], xOf(index), Math.min(step, 180))),
  ]);
};

const shades = 5;
const shadeOf = (rank: number): number =>
  Number.isFinite(rank) ? Math.min(shades - 1, Math.max(0, Math.floor(rank * shades))) : 0;

interface AxisScale {
  position(value: NonNullable<AxisValue>): number | undefined;
  readonly ticks: readonly { readonly y: number; readonly text: string }[];
}

const scaleOf = (axis: ParallelAxis, values: readonly AxisValue[]): AxisScale => {
  const given = values.filter((value) => value !== undefined);
  return given.every((value) => typeof value === 'number') ? numberScale(axis, given) : nameScale(given);
};

const numberScale = ({ log = false }: ParallelAxis, values: readonly number[]): AxisScale => {
  const logarithmic = log && values.length > 0 && values.every((value) => value > 0);
  const project = (value: number) => (logarithmic ? Math.log10(value) : value);
  const scale = linear(extent(values.map(project)), [frame.bottom, frame.top], false);
  const ticks = logarithmic ? [scale.domain()[0] ?? 0, scale.domain()[1] ?? 1] : ticksOf(scale);
  return {
    position: (value) =>
      typeof value === 'number' && Number.isFinite(project(value)) ? scale(project(value)) : undefined,
    ticks: ticks.map((at) => ({
      y: scale(at),
      text: formatNumber(logarithmic ? 10 ** at : at, logarithmic ? 3 : digitsFor(scale)),
    })),
  };
};

/** Enough digits to tell the ticks of a narrow range apart. */
const digitsFor = (scale: ReturnType<typeof linear>): number => {
  const [low = 0, high = 1] = scale.domain();
  const ratio = Math.max(Math.abs(low), Math.abs(high)) / Math.max(Number.MIN_VALUE, high - low);
  return Math.min(9, 3 + Math.max(0, Math.floor(Math.log10(Math.max(1, ratio)))));
};

/** The ends, which a reader looks for, and what lies between. */
const ticksOf = (scale: ReturnType<typeof linear>): number[] => {
  const [low = 0, high = 1] = scale.domain();
  const margin = (high - low) / 8;
  return [low, ...scale.ticks(4).filter((at) => at > low + margin && at < high - margin), high];
};

const nameScale = (values: readonly (string | number)[]): AxisScale => {
  const names = [...new Set(values.map(String))].sort();
  const step = (frame.bottom - frame.top) / Math.max(1, names.length - 1);
  const at = (index: number) =>
    names.length === 1 ? (frame.top + frame.bottom) / 2 : frame.bottom - index * step;
  const shown = names.length <= mostNames;
  return {
    position: (value) => {
      const index = names.indexOf(String(value));
      return index < 0 ? undefined : at(index);
    },
    ticks: shown ? names.map((text, index) => ({ y: at(index), text })) : [],
  };
};

const drawAxis = (
  { name, log = false }: ParallelAxis,
  scale: AxisScale | undefined,
  x: number,
  room: number,
): SafeHtml =>
  html`<g><line class="axis strong" x1="${px(x)}" x2="${px(x)}" y1="${frame.top}" y2="${frame.bottom}"/><text class="strong" x="${px(x)}" y="22" text-anchor="middle">${clip(name, Math.max(4, Math.floor(room / 6.4)))}<title>${name}${log ? ' (logarithmic)' : ''}</title></text>${(
    scale?.ticks ?? []
  ).map(
    ({ y, text }) =>
      html`<text class="halo" x="${px(x + 5)}" y="${px(y + 4)}">${clip(text, Math.max(3, Math.floor(room / 7)))}</text>`,
  )}</g>`;
