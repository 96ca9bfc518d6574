import type { Filter } from '@millrace/store';
import type { Binding } from '../domain/monitor.ts';
import { type LabelledPrediction, measurePerformance } from '../domain/performance.ts';
import { windowPrefix } from './part-keys.ts';
import type { Collections, PredictionsDocument } from './ports.ts';

export interface LabelledFigures {
  readonly labelled: number;
  readonly performance: Readonly<Record<string, number>>;
}

const labelledRows = ({
  rows,
  predictions,
  probabilities,
  labels,
}: PredictionsDocument): LabelledPrediction[] =>
  Object.entries(labels).flatMap(([id, label]) => {
    const position = Object.hasOwn(rows, id) ? (rows[id] ?? -1) : -1;
    const prediction = predictions[position];
    return prediction === undefined
      ? []
      : [{ prediction, label, probabilities: probabilities[position] ?? {} }];
  });

/** Predictions of a window that have labels, or of which it is not known without reading them. */
const maybeLabelled = (prefix: string): Filter => ({
  and: [
    { field: '$key', op: 'prefix', value: prefix },
    {
      or: [
        { field: 'labelled', op: 'gt', value: 0 },
        { field: 'labelled', op: 'exists', value: false },
      ],
    },
  ],
});

/** What a window's labels say of its predictions. */
export const measureLabels = async (
  { predictions }: Collections,
  endpoint: string,
  number: number,
  binding: Binding,
): Promise<LabelledFigures> => {
  const rows: LabelledPrediction[] = [];
  const prefix = windowPrefix(endpoint, number);
  for await (const { document } of predictions.scan(maybeLabelled(prefix))) {
    rows.push(...labelledRows(document));
  }
  return { labelled: rows.length, performance: measurePerformance(binding.task, rows) };
};
