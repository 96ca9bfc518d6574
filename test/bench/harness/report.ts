import { loadavg } from 'node:os';
import { type Figure, isMet, median } from './benchmark.ts';

export interface BenchmarkReport {
  readonly name: string;
  readonly title: string;
  readonly figures: readonly Figure[];
  /** Why the run is void. */
  readonly void?: string;
  /** One-minute load averages of the machine before and after. */
  readonly load: readonly [before: number, after: number];
}

/** Processes that wanted a core, averaged over the last minute. */
export const loadNow = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100;

/** Three digits that mean something, no exponent. */
export const shortNumber = (value: number): string => {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
};

const rangeOf = ({ values }: Figure): string =>
  values.length < 2 ? '' : `${shortNumber(Math.min(...values))}–${shortNumber(Math.max(...values))}`;

const targetOf = ({ target, unit }: Figure): string =>
  target === undefined ? '' : `${target.kind === 'at_most' ? '≤' : '≥'} ${shortNumber(target.value)} ${unit}`;

const verdictOf = (figure: Figure): string => {
  const met = isMet(figure);
  return met === undefined ? '' : met ? 'met' : 'MISSED';
};

const rowOf = (figure: Figure): readonly string[] => [
  figure.measure,
  `${shortNumber(median(figure.values))} ${figure.unit}`,
  rangeOf(figure),
  String(figure.values.length),
  targetOf(figure),
  verdictOf(figure),
  figure.floor ?? '',
];

const heading = ['measure', 'median', 'range', 'n', 'target', '', 'floor in the same run'];

/** All figures in one table: text with aligned columns. */
export const table = (reports: readonly BenchmarkReport[]): string => {
  const rows = reports.flatMap((report): (readonly string[])[] =>
    report.void === undefined
      ? report.figures.map(rowOf)
      : [[report.name, 'VOID', '', '', '', 'MISSED', report.void]],
  );
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(heading), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
};

/** The figures for machines: medians and verdicts beside the raw values. */
export const toJson = (reports: readonly BenchmarkReport[], machine: object) => ({
  time: new Date().toISOString(),
  machine,
  benchmarks: reports.map(({ figures, ...report }) => ({
    ...report,
    figures: figures.map((figure) => ({
      ...figure,
      median: median(figure.values),
      met: isMet(figure) ?? null,
    })),
  })),
});
