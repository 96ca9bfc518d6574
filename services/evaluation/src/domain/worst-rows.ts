import { type Label, type Observations, type Prediction, worstPredictions } from '@millrace/metrics';
import type { Table } from '@millrace/tabular';
import type { WorstRows } from './measurement.ts';

const shownRows = 10;
/** Features shown beside each row, in the order of the table. */
const shownFeatures = 12;

/** The rows with the largest errors, with what the model saw. */
export const worstRows = (
  observations: Observations,
  prediction: Prediction,
  { features, target }: { readonly features: Table; readonly target: readonly Label[] },
  targetColumn: string,
): WorstRows => {
  const shown = features.columns.slice(0, shownFeatures);
  const answers = prediction.kind === 'regression' ? prediction.values : prediction.labels;
  return {
    columns: ['error', 'prediction', targetColumn, ...shown.map(({ name }) => name)],
    rows: worstPredictions(observations, shownRows).map(({ row, error }) => [
      error,
      answers[row] ?? null,
      target[row] ?? null,
      ...shown.map((column) => cellText(column.type, column.values[row] ?? null)),
    ]),
  };
};

const cellText = (type: string, value: string | number | boolean | null) =>
  type === 'timestamp' && typeof value === 'number'
    ? new Date(value).toISOString().replace('.000Z', 'Z')
    : value;
