import type { Actor } from '@millrace/contracts/common';
import {
  type GarbageCollection,
  GarbageCollectionState,
  type PipelineServiceService,
  pipelineEvents,
} from '@millrace/contracts/pipeline';
import {
  eventMessage,
  pageQuery,
  type RpcHandlers,
  requireMessage,
  requireText,
} from '@millrace/service-kit';
import type { NewMessage } from '@millrace/store';
import type { GarbageCollections } from '../application/garbage/garbage-collections.ts';
import {
  type HoldDependencies,
  holdView,
  listHolds,
  placeHold,
  releaseHold,
} from '../application/garbage/holds.ts';
import type {
  GarbageCollectionState as DomainState,
  GarbageCollectionRecord,
} from '../domain/garbage/collection.ts';

type GarbageMethod =
  | 'startGarbageCollection'
  | 'getGarbageCollection'
  | 'listGarbageCollections'
  | 'placeHold'
  | 'listHolds'
  | 'releaseHold';

export type GarbageHandlers = Pick<RpcHandlers<typeof PipelineServiceService>, GarbageMethod>;

export const garbageHandlers = (
  collections: GarbageCollections,
  holds: HoldDependencies,
): GarbageHandlers => ({
  startGarbageCollection: async ({ dryRun, actor }) => ({
    collection: collectionView(await collections.begin(dryRun, checkActor(actor))),
  }),
  getGarbageCollection: async ({ id }) => ({
    collection: collectionView(await collections.get(requireText('id', id))),
  }),
  listGarbageCollections: async ({ page }) => {
    const found = await collections.list(pageQuery(page));
    return {
      collections: found.items.map(({ document }) => collectionView(document)),
      page: { nextCursor: found.nextCursor ?? '' },
    };
  },
  placeHold: async ({ subject, actor }) => {
    const placed = await placeHold(holds, {
      subject: requireText('subject', subject),
      actor: checkActor(actor),
    });
    return { hold: holdView(placed) };
  },
  listHolds: async ({ page }) => {
    const found = await listHolds(holds, pageQuery(page));
    return {
      holds: found.items.map(({ document }) => holdView(document)),
      page: { nextCursor: found.nextCursor ?? '' },
    };
  },
  releaseHold: async ({ subject, actor }) => {
    await releaseHold(holds, { subject: requireText('subject', subject), actor: checkActor(actor) });
    return {};
  },
});

/** Without the names of what was collected: an event that has them would keep them. */
export const finishedMessage = (record: GarbageCollectionRecord): NewMessage => {
  const collection = { ...collectionView(record), garbage: [], missing: [] };
  return eventMessage(pipelineEvents.garbageCollected, record.id, { collection });
};

const states: Record<DomainState, GarbageCollectionState> = {
  running: GarbageCollectionState.GARBAGE_COLLECTION_STATE_RUNNING,
  succeeded: GarbageCollectionState.GARBAGE_COLLECTION_STATE_SUCCEEDED,
  failed: GarbageCollectionState.GARBAGE_COLLECTION_STATE_FAILED,
};

const collectionView = (record: GarbageCollectionRecord): GarbageCollection => {
  const { id, dryRun, phase, startedBy, startedAt, finishedAt, error, resumed, findings } = record;
  return {
    ...findings,
    id,
    dryRun,
    phase,
    startedBy,
    error,
    resumed,
    state: states[record.state],
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: finishedAt === undefined ? undefined : new Date(finishedAt).toISOString(),
    garbage: [...findings.garbage],
    missing: [...findings.missing],
  };
};

const checkActor = (actor: Actor | undefined): Actor => {
  const present = requireMessage('actor', actor);
  requireText('actor.name', present.name);
  return present;
};
