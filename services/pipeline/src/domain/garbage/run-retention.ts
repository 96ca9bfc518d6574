import type { Ended } from '@millrace/service-kit';
import type { PipelineRun } from '../run.ts';

/** When a run's time began to count; one that goes on has no end. */
export const endOfRun = ({ state, finishedAt }: PipelineRun): Ended | undefined => {
  if (finishedAt === undefined) return undefined;
  if (state === 'succeeded') return { period: 'runs', at: finishedAt };
  if (state === 'failed' || state === 'cancelled') return { period: 'failed_runs', at: finishedAt };
  return undefined;
};

/**
 * Why the outputs of a run must not be reused: it may be removed soon. Whoever reuses them refers to it, so it stops
 * being a source for as long before its end as a collection of garbage may have looked at it.
 */
export const endsSoon = (
  run: PipelineRun,
  now: number,
  periodsMs: Readonly<Record<string, number>>,
  graceMs: number,
): string | undefined => {
  const ended = endOfRun(run);
  const period = ended === undefined ? undefined : periodsMs[ended.period];
  if (ended === undefined || period === undefined || now < ended.at + period - graceMs) return undefined;
  return 'the run is as old as runs are kept';
};
