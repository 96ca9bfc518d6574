import type { EventHandler } from '@millrace/bus';
import type { MetricSet, Report } from '@millrace/contracts/evaluation';
import { finiteOnly, prefixed } from '../domain/run.ts';
import type { TrainingContext } from './ports.ts';

const prefixes: Readonly<Record<string, string>> = { validation: 'val_', test: 'test_' };

/**
 * Adds what an evaluation measured to the run that trained the model, as MLflow Recipes does: `val_*` and `test_*`, so
 * that a search and a comparison of runs show them. Safe to repeat.
 */
export const recordEvaluation =
  ({
    runs,
    history,
  }: Pick<TrainingContext, 'runs' | 'history'>): EventHandler<{ report?: Report | undefined }> =>
  async ({ data: { report } }) => {
    const runId = report?.trainingRunId ?? '';
    if (report === undefined || (await runs.get(runId)) === undefined) {
      return { kind: 'ignored', reason: 'the model was not trained here' };
    }
    const metrics = Object.assign({}, ...report.metrics.map(metricsOf));
    const points = Object.entries(metrics).map(([key, value]) => ({
      key,
      value: value as number,
      step: 0,
      time: report.createdAt,
    }));
    // Histories first: the latest value never points at one that is not there.
    await history.add(runId, points);
    const tags = { 'millrace.verdict': report.verdict.replace('VERDICT_', '') };
    await runs.log(runId, { params: {}, metrics, tags });
    return { kind: 'done' };
  };

/** Of a whole split; slices stay in the report. */
const metricsOf = ({ split, slice, metrics }: MetricSet): Record<string, number> => {
  const prefix = prefixes[split];
  if (prefix === undefined || slice !== '') return {};
  return prefixed(prefix, finiteOnly(Object.fromEntries(metrics.map(({ name, value }) => [name, value]))));
};
