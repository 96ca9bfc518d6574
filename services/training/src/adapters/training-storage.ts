import { RunStatus } from '@millrace/contracts/training';
import { retention, type StorageParts } from '@millrace/service-kit';
import type { DocumentStore } from '@millrace/store';
import type { RunDocument } from '../domain/run.ts';
import { StoredMetricHistory } from './stored-metric-history.ts';

/** What the collector of garbage must know: a run that no pipeline run made is its user's, and stays. */
export const trainingStorage = (store: DocumentStore): StorageParts => {
  const history = new StoredMetricHistory(store);
  return {
    journals: ['metric_points'],
    retention: [
      retention<RunDocument>({
        collection: 'runs',
        ended: ({ status, pipelineRunId, finishedAt }) =>
          status === RunStatus.RUN_STATUS_RUNNING || pipelineRunId === '' || finishedAt === ''
            ? undefined
            : { period: 'runs', at: Date.parse(finishedAt) },
        removeParts: (runId) => history.removeOf(runId),
      }),
    ],
  };
};
