export { childEnvironment } from './environment.ts';
export { type LockOptions, withFileLock } from './file-lock.ts';
export type { JobContext, JobMain, SpanAttributes } from './job.ts';
export { createJobPool, type JobPool, type JobPoolOptions } from './job-pool.ts';
export { JobProcess, type ProcessOptions, type RunOptions } from './job-process.ts';
export { joinTrace } from './join-trace.ts';
export type { OutputLine } from './output.ts';
export type { Permissions } from './permissions.ts';
export { identityOf } from './process-identity.ts';
export type { ChildSpan, JobProgress } from './protocol.ts';
export { type JobOptions, runJob } from './run-job.ts';
export {
  abortError,
  type ChildOptions,
  type ExchangeOptions,
  type Exit,
  SupervisedChild,
} from './supervised-child.ts';
export { userCacheDirectory } from './user-cache.ts';
