import { type PythonEnvironments, runPythonJob } from '@millrace/python-runtime';
import type { PythonJobs } from '../application/ports.ts';

export interface PythonJobsOptions {
  readonly environments: PythonEnvironments;
  /** Limit of the resident memory of each worker and all that it starts, MiB. */
  readonly memoryMb: number;
}

/** The project's code in a fresh Python worker each time. */
export const pythonJobs = ({ environments, memoryMb }: PythonJobsOptions): PythonJobs => ({
  environment: (spec, options) => environments.ensure(spec, options),
  run: (job, input, { environment, project }, { signal, onProgress, onLog }) =>
    runPythonJob({
      environment,
      job,
      input,
      userRoot: project,
      memoryMb,
      activity: job,
      signal,
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(onLog === undefined ? {} : { onLog }),
    }),
});
