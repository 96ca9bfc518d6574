import { subscription } from '@millrace/bus';
import { DeploymentServiceService, deploymentEvents } from '@millrace/contracts/deployment';
import { monitoringEvents } from '@millrace/contracts/monitoring';
import { RegistryServiceService, registryEvents } from '@millrace/contracts/registry';
import { PythonEnvironments } from '@millrace/python-runtime';
import { newId, readEnv, removeStaleDirectories, rpc, type ServiceModule } from '@millrace/service-kit';
import { z } from 'zod';
import { registerDataPlane } from './adapters/data-plane.ts';
import { grpcHandlers } from './adapters/grpc-handlers.ts';
import { type DeploymentContext, openCollections } from './application/context.ts';
import { InferenceLog } from './application/inference-log.ts';
import { ModelLoader } from './application/model-loader.ts';
import { predictor } from './application/predict.ts';
import { onAlertRaised, onAliasMoved } from './application/reactions.ts';
import { RolloutController } from './application/rollout-controller.ts';
import { deployStep } from './application/run-deploy-step.ts';
import { type PredictDependencies, predictStep } from './application/run-predict-step.ts';
import { ServingTable } from './application/serving-table.ts';
import { evenlySpread } from './domain/traffic.ts';

const envSchema = z.object({
  /** Where clients reach the gateway, when that is not its address among the services. */
  MILLRACE_PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  /** Below the time after which the gateway gives a prediction up, so that the reason is told. */
  MILLRACE_MODEL_TIMEOUT_MS: z.coerce.number().int().min(100).default(20_000),
  MILLRACE_MODEL_MEMORY_MB: z.coerce.number().int().min(64).default(1_024),
  /** Limit of the resident memory of a Python worker that scores a batch, MiB. */
  MILLRACE_BATCH_MEMORY_MB: z.coerce.number().int().min(256).default(8_192),
});

/** Endpoints, revisions, traffic, and the predictions themselves. */
export const deployment: ServiceModule = {
  name: 'deployment',
  setup: async ({ store, blobs, bus, peer, log, settings, env, now, tempDir }) => {
    const {
      MILLRACE_PUBLIC_URL: publicUrl,
      MILLRACE_MODEL_TIMEOUT_MS: callTimeoutMs,
      MILLRACE_MODEL_MEMORY_MB: memoryMb,
      MILLRACE_BATCH_MEMORY_MB: batchMemoryMb,
    } = readEnv(envSchema, env);
    const environments = PythonEnvironments.open();
    const context: DeploymentContext = {
      ...openCollections(store),
      registry: peer('registry', RegistryServiceService),
      loader: new ModelLoader(blobs, {
        callTimeoutMs,
        memoryMb,
        environments,
        onProgress: (message) => log.info({}, message),
        onLog: ({ text }) => log.info({}, `a model wrote: ${text}`),
      }),
      table: new ServingTable(evenlySpread(Math.random())),
      inferenceLog: new InferenceLog(bus, log, newId('serving')),
      log,
      now: () => new Date(now()).toISOString(),
      // Clients come through the gateway, which passes these paths on.
      baseUrl: () => publicUrl ?? `http://${settings.addresses('gateway', 'http')}`,
    };
    const controller = new RolloutController(context);
    const predict = predictor({
      table: context.table,
      log: context.inferenceLog,
      now,
      onAnswered: (endpoint, revision, served) => controller.answered(endpoint, revision, served),
    });
    const batches: PredictDependencies = {
      registry: context.registry,
      blobs,
      environments,
      memoryMb: batchMemoryMb,
      tempDir,
    };
    await removeStaleDirectories(tempDir, now());
    return {
      rpc: [rpc(DeploymentServiceService, grpcHandlers(context))],
      routes: (app) => registerDataPlane(app, context.table, predict),
      consumers: [
        {
          name: 'deployment-reactions',
          subscriptions: [
            subscription(monitoringEvents.alertRaised, onAlertRaised(context)),
            subscription(registryEvents.aliasMoved, onAliasMoved(context)),
          ],
        },
      ],
      steps: {
        handlers: { deploy: deployStep(context, blobs), predict: predictStep(batches) },
        events: deploymentEvents,
        concurrency: 4,
      },
      start: () => controller.start(),
      stop: async () => {
        await controller.stop();
        await context.inferenceLog.close();
        await context.loader.close();
      },
    };
  },
};
