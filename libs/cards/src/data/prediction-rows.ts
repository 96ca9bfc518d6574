import type { Table } from '@millrace/tabular';
import { note, table } from '../components.ts';
import { formatNumber } from '../format.ts';
import type { SafeHtml } from '../html.ts';

/** Rows of a split with their prediction and its error, worst or best first. Plain JSON. */
export interface PredictionRows {
  /** `error`, `prediction`, the target, then features. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
}

/** Features shown beside each row, in the order of the table. */
const shownFeatures = 12;

export interface RankedRows {
  /** Positions in the table with the error there, in the order to show them. */
  readonly ranked: readonly { readonly row: number; readonly error: number }[];
  /** Predicted values or labels, one for each row of the table. */
  readonly predicted: readonly (string | number)[];
  readonly target: readonly (string | number | boolean)[];
  readonly targetColumn: string;
  /** Raw, as the model was given them. */
  readonly features: Table;
}

/** The ranked rows with what the model saw. */
export const predictionRows = ({
  ranked,
  predicted,
  target,
  targetColumn,
  features,
}: RankedRows): PredictionRows => {
  const shown = features.columns.slice(0, shownFeatures);
  return {
    columns: ['error', 'prediction', targetColumn, ...shown.map(({ name }) => name)],
    rows: ranked.map(({ row, error }) => [
      error,
      predicted[row] ?? null,
      target[row] ?? null,
      ...shown.map((column) => cellText(column.type, column.values[row] ?? null)),
    ]),
  };
};

const cellText = (type: string, value: string | number | boolean | null) =>
  type === 'timestamp' && typeof value === 'number'
    ? new Date(value).toISOString().replace('.000Z', 'Z')
    : value;

/** Such rows as a table; a remark when there are none. */
export const predictionTable = ({ columns, rows }: PredictionRows, caption?: string): SafeHtml =>
  rows.length === 0
    ? note(caption === undefined ? 'None.' : `${caption}: none.`)
    : table({
        ...(caption === undefined ? {} : { caption }),
        columns: columns.map((title, index) => ({
          title,
          numeric: rows.every((row) => typeof row[index] === 'number' || row[index] === null),
        })),
        rows: rows.map((row) =>
          row.map((value) => (typeof value === 'number' ? formatNumber(value, 5) : String(value ?? '–'))),
        ),
      });
