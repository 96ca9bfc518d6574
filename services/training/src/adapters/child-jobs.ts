import { createJobPool, runJob } from '@millrace/jobs';
import type { Jobs, OwnJob, UserJob } from '../application/ports.ts';

export interface ChildJobsOptions {
  /** Most children at once for our own jobs, and as many again for user code. */
  readonly size: number;
  /** Limit of the JavaScript heap of each child, MiB. */
  readonly memoryMb: number;
}

const entryOf = (job: OwnJob | UserJob): URL => new URL(`../jobs/${job}.job.ts`, import.meta.url);

/** Our own jobs in a warm pool, user code in a fresh child each time. */
export const childJobs = ({ size, memoryMb }: ChildJobsOptions): Jobs & { close(): Promise<void> } => {
  const pool = createJobPool({ size, memoryMb });
  return {
    run: (job, input, hooks) => pool.run({ entry: entryOf(job), input, activity: job, ...hooks }),
    runUser: (job, input, { workspace, code }, hooks) =>
      runJob({
        entry: entryOf(job),
        input,
        memoryMb,
        userRoot: code,
        permissions: { read: [workspace], write: [workspace] },
        activity: job,
        ...hooks,
      }),
    close: () => pool.close(),
  };
};
