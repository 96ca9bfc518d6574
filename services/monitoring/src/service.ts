import { type Running, subscription } from '@millrace/bus';
import { deploymentEvents } from '@millrace/contracts/deployment';
import { monitoringEvents } from '@millrace/contracts/monitoring';
import { newId, readEnv, type ServiceModule } from '@millrace/service-kit';
import { z } from 'zod';
import { monitoringStorage, openCollections } from './adapters/collections.ts';
import { consumeInference } from './adapters/inference-consumer.ts';
import { monitoringRpc } from './adapters/monitoring-rpc.ts';
import { baselineLoader, profileLoader } from './adapters/profiles.ts';
import { windowMeasuring } from './adapters/window-measuring.ts';
import { bindMonitor } from './application/bind-monitor.ts';
import { DriftMetrics } from './application/drift-metrics.ts';
import { EndpointLanes } from './application/endpoint-lanes.ts';
import { followDeletion, followRollback } from './application/follow-deployment.ts';
import type { Dependencies } from './application/ports.ts';

const envSchema = z.object({
  /** Predictions per endpoint that wait for labels; the oldest windows go first. */
  MILLRACE_MONITORING_LABEL_PREDICTIONS: z.coerce.number().int().min(1).default(200_000),
  /** Days that predictions wait for labels. */
  MILLRACE_MONITORING_LABEL_DAYS: z.coerce.number().positive().default(7),
});

const dayMs = 24 * 3_600_000;

/** Watches endpoints; owns monitors, windows, alerts and ground truth. */
export const monitoring: ServiceModule = {
  name: 'monitoring',
  setup: async ({ env, store, bus, blobs, log, now }) => {
    const variables = readEnv(envSchema, env);
    const loadProfile = profileLoader(blobs);
    const measuring = windowMeasuring();
    const collections = openCollections(store);
    const metrics = new DriftMetrics(collections);
    const deps: Dependencies = {
      collections,
      loadProfile,
      loadBaseline: baselineLoader(loadProfile),
      measureWindow: measuring.measureWindow,
      labelRetention: {
        predictions: variables.MILLRACE_MONITORING_LABEL_PREDICTIONS,
        ageMs: variables.MILLRACE_MONITORING_LABEL_DAYS * dayMs,
      },
      now,
      newId,
      log,
      onWindowClosed: (report) => metrics.windowClosed(report),
    };
    const lanes = new EndpointLanes(deps);
    let records: Running | undefined;
    return {
      rpc: [
        monitoringRpc({ collections: deps.collections, lanes, labelRetention: deps.labelRetention, now }),
      ],
      storage: monitoringStorage,
      steps: { handlers: { monitor: bindMonitor(deps, blobs) }, events: monitoringEvents, concurrency: 4 },
      consumers: [
        {
          name: 'monitoring-deployments',
          subscriptions: [
            subscription(deploymentEvents.deploymentRolledBack, followRollback(deps)),
            subscription(deploymentEvents.endpointDeleted, followDeletion(deps)),
          ],
        },
      ],
      start: async () => {
        await lanes.start();
        records = consumeInference(bus, (batch) => lanes.applyBatch(batch));
      },
      stop: async () => {
        await lanes.stop();
        await records?.stop();
        await measuring.close();
        metrics.stop();
      },
    };
  },
};
