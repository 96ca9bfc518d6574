import { collapsed, note, table } from '../components.ts';
import { clip, formatNumber, formatTime } from '../format.ts';
import type { HtmlValue, SafeHtml } from '../html.ts';

/** A value of a data row. `Date` and timestamps are shown in UTC. */
export type DataCell = string | number | boolean | null | undefined | Date;

/** Some rows of a table as they are. */
export interface DataRows {
  readonly columns: readonly { readonly name: string; readonly type?: string }[];
  /** Cells by row, in the order of the columns. */
  readonly rows: readonly (readonly DataCell[])[];
}

/** Columns that fit a table which is scrolled sideways. */
const shownColumns = 40;

/** Rows with the names of their columns. */
export const dataTable = ({ columns, rows }: DataRows, caption?: string): readonly SafeHtml[] => {
  const shown = columns.slice(0, shownColumns);
  const hidden = columns.length - shown.length;
  return [
    table({
      ...(caption === undefined ? {} : { caption }),
      columns: shown.map(({ name }, index) => ({
        title: name,
        numeric: rows.every((row) => typeof row[index] === 'number' || isMissing(row[index])),
      })),
      rows: rows.map((row) => shown.map(({ type }, index) => cellText(row[index], type))),
    }),
    ...(hidden > 0 ? [note(`${formatNumber(hidden)} more columns are not shown.`)] : []),
  ];
};

const isMissing = (cell: DataCell): boolean => cell === null || cell === undefined;

const cellText = (cell: DataCell, type: string | undefined): HtmlValue => {
  if (cell === null || cell === undefined) return '–';
  if (cell instanceof Date) return formatTime(cell.getTime());
  if (typeof cell === 'number') return type === 'timestamp' ? formatTime(cell) : formatNumber(cell, 6);
  return clip(String(cell), 120);
};

/** A longer schema is folded away. */
const openColumns = 25;

/** Names and types of columns, and what else is known of each. */
export const schemaTable = (
  columns: readonly { readonly name: string; readonly type: string; readonly nullable?: boolean }[],
): SafeHtml => {
  const tells = columns.some(({ nullable }) => nullable !== undefined);
  const all = table({
    columns: [{ title: 'Column' }, { title: 'Type' }, ...(tells ? [{ title: 'Missing values' }] : [])],
    rows: columns.map(({ name, type, nullable }) => [
      clip(name, 120),
      type,
      ...(tells ? [nullable ? 'yes' : 'no'] : []),
    ]),
  });
  return columns.length > openColumns ? collapsed(`${formatNumber(columns.length)} columns`, [all]) : all;
};

export interface MetricTableOptions {
  /** Metrics of each column, by name. */
  readonly columns: readonly { readonly title: string; readonly metrics: Readonly<Record<string, number>> }[];
  /** Comes first, in bold. */
  readonly primary: string;
  /** The project's own metrics: they come next, in bold. */
  readonly custom: readonly string[];
}

/** Metrics side by side: the primary one, the project's own, then the others by name; 6 significant digits. */
export const metricTable = ({ columns, primary, custom }: MetricTableOptions): SafeHtml => {
  const all = [...new Set(columns.flatMap(({ metrics }) => Object.keys(metrics)))].sort();
  const rank = (name: string) => (name === primary ? 0 : custom.includes(name) ? 1 : 2);
  const names = all.toSorted((a, b) => rank(a) - rank(b));
  return table({
    columns: [{ title: 'Metric' }, ...columns.map(({ title }) => ({ title, numeric: true }))],
    rows: names.map((name) => [
      name === primary ? `${name} (primary)` : name,
      ...columns.map(({ metrics }) => formatNumber(metrics[name])),
    ]),
    strong: new Set([...names.keys()].filter((row) => rank(names[row] ?? '') < 2)),
  });
};
