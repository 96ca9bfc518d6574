import { consumeRecords } from '@millrace/bus';
import { TokenServiceService } from '@millrace/contracts/gateway';
import { PipelineServiceService } from '@millrace/contracts/pipeline';
import { apiPrefix } from '@millrace/rest';
import { readEnv, rpc, type ServiceModule } from '@millrace/service-kit';
import { z } from 'zod';
import { limitAdmission } from './adapters/admission.ts';
import { registerBlobRoutes } from './adapters/blob-routes.ts';
import { registerDeadLetterRoutes } from './adapters/dead-letter-routes.ts';
import { registerDiagnosisRoute } from './adapters/diagnosis-route.ts';
import { refuseWhenDiskIsFull } from './adapters/disk-space.ts';
import { registerEventRoutes } from './adapters/event-routes.ts';
import { guard, isLoopback, refuseForeignOrigins, refuseOpenListener } from './adapters/identity.ts';
import { openApiDocument } from './adapters/openapi.ts';
import { registerPredictionOriginRoute } from './adapters/prediction-origin-route.ts';
import { PredictionProxy, predictionPeer } from './adapters/prediction-proxy.ts';
import { registerRpcRoutes } from './adapters/rpc-routes.ts';
import { registerRunWatchRoute } from './adapters/run-watch-route.ts';
import { observeStreams } from './adapters/server-sent-events.ts';
import { registerStatusRoute } from './adapters/status-route.ts';
import { tokenHandlers } from './adapters/token-rpc.ts';
import { registerTraceRoutes } from './adapters/trace-routes.ts';
import { ownersOf } from './application/prediction-origin.ts';
import { Tokens } from './application/tokens.ts';
import { TraceStore } from './application/trace-store.ts';

const envSchema = z.object({
  MILLRACE_TOKEN: z.string().min(16).optional(),
  MILLRACE_MAX_REQUESTS: z.coerce.number().int().min(1).default(1_000),
  MILLRACE_MAX_STREAMS: z.coerce.number().int().min(1).default(250),
  MILLRACE_STREAM_STALL_MS: z.coerce.number().int().min(1_000).default(60_000),
});

export const gateway: ServiceModule = {
  name: 'gateway',
  setup: async (runtime) => {
    const { bus, blobs, settings, peer, httpPeer, store, now } = runtime;
    const { MILLRACE_TOKEN: token, ...limits } = readEnv(envSchema, runtime.env);
    const streams = {
      stallMs: limits.MILLRACE_STREAM_STALL_MS,
      onStalled: (reason: string) => runtime.log.warn({ reason }, 'a stream was cut'),
    };
    const onLoopback = isLoopback(settings.host);
    const tokens = new Tokens({ store, now, operatorToken: token, onLoopback });
    await refuseOpenListener(settings.host, tokens);
    const traces = new TraceStore(store);
    const pipeline = peer('pipeline', PipelineServiceService);
    const proxy = new PredictionProxy(httpPeer('deployment', predictionPeer));
    const document = openApiDocument();
    const unobserve = observeStreams();
    let spans: Awaited<ReturnType<typeof consumeRecords>> | undefined;
    return {
      rpc: [rpc(TokenServiceService, tokenHandlers(tokens))],
      routes: async (app) => {
        limitAdmission(
          app,
          { requests: limits.MILLRACE_MAX_REQUESTS, streams: limits.MILLRACE_MAX_STREAMS },
          Math.random,
        );
        guard(app, tokens);
        refuseForeignOrigins(app, tokens);
        refuseWhenDiskIsFull(app, settings.dataDir);
        registerRpcRoutes(app, peer);
        await registerBlobRoutes(app, blobs, streams);
        registerEventRoutes(app, bus, streams);
        registerRunWatchRoute(app, bus, pipeline, streams);
        registerTraceRoutes(app, traces, pipeline);
        registerPredictionOriginRoute(app, ownersOf(peer));
        registerDeadLetterRoutes(app, bus);
        registerStatusRoute(app, httpPeer);
        registerDiagnosisRoute(app, runtime, tokens);
        await proxy.register(app);
        app.get(`${apiPrefix}/openapi.json`, { config: { permission: 'read' } }, async () => document);
      },
      start: async () => {
        spans = await consumeRecords(bus, {
          name: 'gateway-traces',
          stream: 'SPANS',
          handle: async (record) => {
            await traces.add(record.id, record.data, now());
            return { kind: 'done' };
          },
        });
      },
      stop: async () => {
        unobserve();
        await spans?.stop();
      },
    };
  },
};
