import type { TrackingServiceService } from '@millrace/contracts/training';
import { Invalid } from '@millrace/errors';
import { pageQuery, type RpcHandlers, requireText } from '@millrace/service-kit';
import { getRun } from '../application/get-run.ts';
import { logBatch } from '../application/log-batch.ts';
import type { TrainingContext } from '../application/ports.ts';
import { searchRuns } from '../application/search-runs.ts';
import { compareRuns } from '../domain/compare-runs.ts';
import { runMessage } from './stored-runs.ts';

const mostCompared = 20;

const pageInfo = ({ nextCursor }: { readonly nextCursor?: string }) => ({ nextCursor: nextCursor ?? '' });

/** The contract's methods over the use cases. */
export const grpcHandlers = (context: TrainingContext): RpcHandlers<typeof TrackingServiceService> => {
  const { runs, experiments, history } = context;
  return {
    getRun: async ({ id }) => ({ run: runMessage(await getRun(runs, id)) }),
    searchRuns: async (request) => {
      const found = await searchRuns(runs, request);
      return { runs: found.items.map(runMessage), page: pageInfo(found) };
    },
    compareRuns: async ({ runIds }) => {
      if (runIds.length < 2 || runIds.length > mostCompared) {
        throw Invalid.field('run_ids', `must be 2 to ${mostCompared} runs, found ${runIds.length}`);
      }
      const found = await Promise.all(runIds.map((id) => getRun(runs, id)));
      return { runs: found.map(runMessage), fields: compareRuns(found) };
    },
    getMetricHistory: async ({ runId, key, page }) => {
      await getRun(runs, runId);
      const found = await history.list(runId, requireText('key', key), pageQuery(page));
      return { metrics: [...found.items], page: pageInfo(found) };
    },
    logBatch: async (request) => {
      await logBatch(context, request);
      return {};
    },
    listExperiments: async ({ page }) => {
      const found = await experiments.list(pageQuery(page));
      return { experiments: [...found.items], page: pageInfo(found) };
    },
  };
};
