import type { DiskReport, ServiceReport } from '@millrace/installation';
import { type Finding, fail, ok, warn } from './finding.ts';

const gibibyte = 1024 ** 3;
/** Below the first, writes fail soon; below the second, a larger data set may not fit. Bytes. */
const space = { fail: gibibyte / 4, warn: gibibyte } as const;
/** Share of inodes that are free. */
const inodes = { fail: 0.01, warn: 0.05 } as const;
const spaceAdvice =
  'Free some space: `millrace gc run` collects what nothing uses, old backups may go; or move the data directory to a larger disk.';

/** Space and inodes of a data directory. */
export const judgeDisk = (check: string, { path, free, freeInodes, totalInodes }: DiskReport): Finding => {
  const share = totalInodes === 0 ? 1 : freeInodes / totalInodes;
  const found = `${path}: ${(free / gibibyte).toFixed(1)} GiB and ${totalInodes === 0 ? 'uncounted' : `${Math.floor(share * 100)} % of`} inodes free`;
  if (free < space.fail) return fail(check, found, spaceAdvice);
  if (share < inodes.fail) {
    return fail(
      check,
      found,
      'Remove files: `millrace gc run`, or make the file system anew with more inodes.',
    );
  }
  if (free < space.warn) return warn(check, found, spaceAdvice);
  if (share < inodes.warn)
    return warn(check, found, 'Remove files before inodes run out: `millrace gc run`.');
  return ok(check, found);
};

/** What a service may need at once with some hundred clients. */
const wantedFiles = 4_096;

/** Open files of a process against what it may have. */
export const judgeFiles = (check: string, { open, limit }: NonNullable<ServiceReport['files']>): Finding => {
  const found = `${open} open, ${limit === Number.MAX_SAFE_INTEGER ? 'unlimited' : `${limit} allowed`}`;
  const advice = `Allow more: ulimit -n ${wantedFiles * 4}, LimitNOFILE= of systemd, or ulimits of the container.`;
  if (open > limit * 0.9) return fail(check, found, advice);
  if (open > limit * 0.7 || limit < 1_024) return warn(check, found, advice);
  return ok(check, found);
};
