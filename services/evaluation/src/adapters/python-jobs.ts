import { type PythonEnvironments, runPythonJob } from '@millrace/python-runtime';
import type { PythonJobs } from '../application/ports.ts';

export interface PythonJobsOptions {
  readonly environments: PythonEnvironments;
  /** Limit of the resident memory of a worker and all that it starts, MiB. */
  readonly memoryMb: number;
}

/** Runs the project's Python in a fresh worker each time. */
export const pythonJobs = ({ environments, memoryMb }: PythonJobsOptions): PythonJobs => ({
  customMetrics: async (spec, input, project, { signal, log }) =>
    runPythonJob({
      environment: await environments.ensure(spec, { signal }),
      job: 'custom_metrics',
      input,
      userRoot: project,
      memoryMb,
      activity: 'the metrics of steps/custom_metrics.py',
      signal,
      onLog: ({ stream, text }) => log.info({ stream }, text),
    }),
});
