import { observeMetric } from '@millrace/telemetry';
import { currentStep, type PipelineRun, type RunState } from '../domain/run.ts';
import type { PipelineContext } from './context.ts';

const openStates: readonly RunState[] = ['queued', 'running', 'waiting'];

/** So many running runs are looked at for the age of their steps. */
const runsLookedAt = 100;

const stepAgeMs = (run: PipelineRun, now: number): number => {
  const startedAt = currentStep(run)?.startedAt;
  return startedAt === undefined ? 0 : Math.max(0, now - startedAt);
};

/** Shows how many pipeline runs are open, and for how long a step has run. Returns how to stop it. */
export const observeRuns = ({ collections: { runs }, now }: PipelineContext): (() => void) => {
  const stops = [
    observeMetric('millrace_pipeline_runs_open', () =>
      Promise.all(
        openStates.map(async (state) => ({
          value: await runs.count({ field: 'state', op: 'eq', value: state }),
          labels: { state },
        })),
      ),
    ),
    observeMetric('millrace_pipeline_oldest_step_age_seconds', async () => {
      const { items } = await runs.find({
        filter: { field: 'state', op: 'eq', value: 'running' },
        sort: { field: 'createdAt', direction: 'asc' },
        limit: runsLookedAt,
      });
      const ages = items.map(({ document }) => stepAgeMs(document, now()));
      return [{ value: Math.max(0, ...ages) / 1000, labels: {} }];
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
};
