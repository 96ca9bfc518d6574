import { PipelineServiceService } from '@millrace/contracts/pipeline';
import { RegistryServiceService } from '@millrace/contracts/registry';
import { TrackingServiceService } from '@millrace/contracts/training';
import { newId, readEnv, rpc, type ServiceModule } from '@millrace/service-kit';
import { currentSpan, newSpanId, newTrace } from '@millrace/telemetry';
import { z } from 'zod';
import { changeMessages } from './adapters/change-messages.ts';
import { consumersOf } from './adapters/consumers.ts';
import { finishedMessage, garbageHandlers } from './adapters/garbage-rpc.ts';
import { grpcHandlers } from './adapters/grpc-handlers.ts';
import { existence, heldSubjects } from './adapters/held-subjects.ts';
import { messagesOf } from './adapters/messages.ts';
import { registryApprovals, registryChampion } from './adapters/registry.ts';
import { storageOwners } from './adapters/storage-owners.ts';
import { emitRunTrace } from './adapters/trace.ts';
import { openCollections, type PipelineContext } from './application/context.ts';
import { RunDriver } from './application/drive-runs.ts';
import { ScheduleClock } from './application/fire-schedules.ts';
import { GarbageCollections } from './application/garbage/garbage-collections.ts';
import { readRetention } from './application/garbage/garbage-settings.ts';
import type { HoldDependencies } from './application/garbage/holds.ts';
import { pipelineStorage } from './application/garbage/pipeline-storage.ts';
import { observeRuns } from './application/run-metrics.ts';
import { EventWatch } from './application/watch-events.ts';
import { defaultPatience } from './domain/decide.ts';

const milliseconds = z.coerce.number().int().min(1);

/** Variables of this service; documented in its README. */
const ownSettings = z.object({
  MILLRACE_PIPELINE_BACKSTOP_MS: milliseconds.default(defaultPatience.backstopMs),
  MILLRACE_PIPELINE_CANCEL_MS: milliseconds.default(defaultPatience.cancelMs),
  MILLRACE_PIPELINE_RETRY_MS: milliseconds.default(defaultPatience.retryMs),
});

/** The process manager: recipes, runs, step states, triggers, schedules. */
export const pipeline: ServiceModule = {
  name: 'pipeline',
  setup: async ({ store, blobs, bus, peer, now, log, env }) => {
    const settings = readEnv(ownSettings, env);
    const registry = peer('registry', RegistryServiceService);
    const context: PipelineContext = {
      collections: openCollections(store),
      blobs,
      askApproval: registryApprovals(registry),
      findChampion: registryChampion(registry),
      messagesOf,
      changeMessages,
      emitTrace: emitRunTrace,
      newId,
      newTrace,
      newSpanId,
      now,
      patience: {
        ...defaultPatience,
        backstopMs: settings.MILLRACE_PIPELINE_BACKSTOP_MS,
        cancelMs: settings.MILLRACE_PIPELINE_CANCEL_MS,
        retryMs: settings.MILLRACE_PIPELINE_RETRY_MS,
      },
      retention: readRetention(env),
      log,
      wake: (runId, run) => driver.wake(runId, { run }),
    };
    const driver = new RunDriver(context);
    let unobserve = () => {};
    const schedules = new ScheduleClock(context);
    const events = new EventWatch(context, bus);
    const garbage = new GarbageCollections({
      ...context,
      collections: context.collections.garbageCollections,
      blobMentions: context.collections.blobMentions,
      holds: () => heldSubjects(context.collections.holds),
      owners: storageOwners(peer),
      finishedMessage,
    });
    const holds: HoldDependencies = {
      holds: context.collections.holds,
      blobs,
      now,
      isCollecting: () => garbage.isCollecting(),
      ...existence(context, registry, peer('training', TrackingServiceService)),
    };
    const refresh = async (): Promise<void> => {
      await Promise.all([schedules.refresh(), events.refresh()]);
    };
    return {
      rpc: [
        rpc(PipelineServiceService, {
          ...grpcHandlers(context, { changed: refresh }, currentSpan),
          ...garbageHandlers(garbage, holds),
        }),
      ],
      storage: pipelineStorage,
      consumers: consumersOf(context),
      start: async () => {
        await driver.start();
        garbage.start();
        unobserve = observeRuns(context);
        await refresh();
      },
      stop: async () => {
        unobserve();
        await Promise.all([schedules.stop(), events.stop()]);
        await garbage.stop();
        await driver.stop();
      },
    };
  },
};
