import { retention, type StorageParts, timeOfId } from '@millrace/service-kit';
import type { GarbageCollectionRecord } from '../../domain/garbage/collection.ts';
import { endOfRun } from '../../domain/garbage/run-retention.ts';
import type { PipelineRun } from '../../domain/run.ts';
import type { Submission } from '../context.ts';

/** What the collector of garbage must know of this service's documents. */
export const pipelineStorage: StorageParts = {
  journals: ['submissions', 'read_positions', 'garbage_collections', 'blob_mentions'],
  retention: [
    retention<PipelineRun>({ collection: 'runs', ended: endOfRun }),
    retention<Submission>({
      collection: 'submissions',
      ended: ({ runId }) => {
        const at = timeOfId(runId);
        return at === undefined ? undefined : { period: 'runs', at };
      },
    }),
    retention<GarbageCollectionRecord>({
      collection: 'garbage_collections',
      ended: ({ finishedAt }) => (finishedAt === undefined ? undefined : { period: 'runs', at: finishedAt }),
    }),
  ],
};
