import type { EventHandler } from '@millrace/bus';
import { RunStatus } from '@millrace/contracts/training';
import type { Filter } from '@millrace/store';
import type { Runs } from './ports.ts';

const pageSize = 100;

/**
 * When a pipeline run has ended, ends what still counts as running of it: runs whose worker was down when their
 * step was given up, which nobody else will end. Runs that began after the event belong to a resumed pipeline run.
 */
export const endOrphans =
  <T>(runs: Runs): EventHandler<T> =>
  async ({ key, time, type }) => {
    const orphans: Filter = {
      and: [
        { field: 'pipelineRunId', op: 'eq', value: key },
        { field: 'status', op: 'eq', value: RunStatus.RUN_STATUS_RUNNING },
        { field: 'startedAt', op: 'lt', value: time },
      ],
    };
    const reason = `its pipeline run ended (${type})`;
    for (;;) {
      const sort = { field: 'startedAt', direction: 'asc' } as const;
      const { items } = await runs.find({ filter: orphans, sort, limit: pageSize });
      for (const run of items) await runs.fail(run.id, reason, true);
      if (items.length < pageSize) return { kind: 'done' };
    }
  };
