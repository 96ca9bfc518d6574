import type { LogBatchRequest, Metric } from '@millrace/contracts/training';
import { Invalid, type Violation } from '@millrace/errors';
import { requireText } from '@millrace/service-kit';
import type { TrainingContext } from './ports.ts';

/** As MLflow's limits: values in one call, characters of a name and of a value. */
const mostValues = 1000;
const longestName = 250;
const longestParam = 6000;
const longestTag = 5000;

/**
 * Adds metrics, params and tags to a run. Histories are written first: the latest value never points at one that
 * is not there. Throws `NotFound`; `Invalid` naming every field that is wrong, and then nothing is changed.
 */
export const logBatch = async (
  { runs, history, now }: Pick<TrainingContext, 'runs' | 'history' | 'now'>,
  { runId, metrics, params, tags }: LogBatchRequest,
): Promise<void> => {
  requireText('run_id', runId);
  const violations = [
    ...metrics.flatMap(metricViolations),
    ...textViolations('params', params, longestParam),
    ...textViolations('tags', tags, longestTag),
  ];
  if (metrics.length + Object.keys(params).length + Object.keys(tags).length > mostValues) {
    violations.push({ path: 'metrics', message: `more than ${mostValues} values in one call` });
  }
  if (violations.length > 0) {
    throw new Invalid(violations.map(({ path, message }) => `${path}: ${message}`).join('; '), {
      violations,
    });
  }
  const time = new Date(now()).toISOString();
  const timed = metrics.map((metric) => ({ ...metric, time: metric.time ?? time }));
  // Refuses an unknown run or a changed param before anything is written.
  await runs.log(runId, { params, metrics: {}, tags });
  await history.add(runId, timed);
  if (timed.length > 0) await runs.log(runId, { params: {}, metrics: latestOf(timed), tags: {} });
};

/** The value of the highest step; of equal steps the last one given. */
const latestOf = (metrics: readonly Metric[]): Record<string, number> => {
  const inOrder = [...metrics].sort((a, b) => a.step - b.step);
  return Object.fromEntries(inOrder.map(({ key, value }) => [key, value]));
};

const metricViolations = ({ key, value, step }: Metric, index: number): Violation[] => {
  const at = (field: string) => `metrics[${index}].${field}`;
  return [
    ...nameViolations(at('key'), key),
    ...(Number.isFinite(value) ? [] : [{ path: at('value'), message: `${value} is not a finite number` }]),
    ...(Number.isSafeInteger(step) && step >= 0
      ? []
      : [{ path: at('step'), message: 'must be a whole number from 0' }]),
  ];
};

const textViolations = (section: string, values: Record<string, string>, longest: number): Violation[] =>
  Object.entries(values).flatMap(([name, value]) => [
    ...nameViolations(`${section}.${name}`, name),
    ...(value.length > longest
      ? [{ path: `${section}.${name}`, message: `is longer than ${longest} characters` }]
      : []),
  ]);

const nameViolations = (path: string, name: string): Violation[] => {
  if (name === '') return [{ path, message: 'needs a name' }];
  if (name.length > longestName)
    return [{ path, message: `its name is longer than ${longestName} characters` }];
  return [];
};
