import { createJobPool, type JobPool, runJob } from '@millrace/jobs';
import type { EvaluationContext } from '../application/ports.ts';

const measureEntry = new URL('../jobs/measure.job.ts', import.meta.url);
const customMetricsEntry = new URL('../jobs/custom-metrics.job.ts', import.meta.url);

export interface ChildJobsOptions {
  /** Evaluations at once. */
  readonly concurrency: number;
  /** Limit of each child's JavaScript heap. */
  readonly memoryMb: number;
}

/**
 * Runs the heavy and the foreign work in child processes: measuring in children that are kept for the next
 * evaluation, the project's code in a fresh one that may only read what it needs.
 */
export const childJobs = ({
  concurrency,
  memoryMb,
}: ChildJobsOptions): Pick<EvaluationContext, 'measure' | 'computeCustomMetrics'> &
  Pick<JobPool, 'close'> => {
  const pool = createJobPool({ size: concurrency, memoryMb });
  return {
    measure: (input, { signal, onProgress }) =>
      pool.run({
        entry: measureEntry,
        input,
        signal,
        onProgress: ({ fraction, message }) => onProgress(fraction, message),
      }),
    computeCustomMetrics: (input, { project, work }, signal) =>
      runJob({
        entry: customMetricsEntry,
        input,
        signal,
        userRoot: project,
        memoryMb,
        permissions: { read: [work] },
      }),
    close: () => pool.close(),
  };
};
