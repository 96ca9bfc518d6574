import { JobProcess, type ProcessOptions, type RunOptions } from './job-process.ts';

export type JobOptions = ProcessOptions & RunOptions;

/**
 * Does one job in a fresh child process and directory, which are gone when it resolves or rejects.
 * Throws `Invalid` when user code throws (naming file and line), `TimedOut`, `Cancelled` (or the signal's
 * reason), `Exhausted` when it needs too much memory, `Internal` when it dies otherwise.
 */
export const runJob = async <Output>(options: JobOptions): Promise<Output> => {
  const job = await JobProcess.start(options);
  try {
    return await job.run<Output>(options);
  } finally {
    await job.kill();
  }
};
