export type { JobContext, JobMain, SpanAttributes } from './job.ts';
export { createJobPool, type JobPool, type JobPoolOptions } from './job-pool.ts';
export { JobProcess, type ProcessOptions, type RunOptions } from './job-process.ts';
export type { OutputLine } from './output.ts';
export type { Permissions } from './permissions.ts';
export type { ChildSpan, JobProgress } from './protocol.ts';
export { type JobOptions, runJob } from './run-job.ts';
