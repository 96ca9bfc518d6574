import { consumeRecords } from '@millrace/bus';
import { TokenServiceService } from '@millrace/contracts/gateway';
import { PipelineServiceService } from '@millrace/contracts/pipeline';
import { apiPrefix } from '@millrace/rest';
import { readEnv, rpc, type ServiceModule } from '@millrace/service-kit';
import type { SpanRecord } from '@millrace/telemetry';
import { z } from 'zod';
import { registerBlobRoutes } from './adapters/blob-routes.ts';
import { registerDeadLetterRoutes } from './adapters/dead-letter-routes.ts';
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

const envSchema = z.object({ MILLRACE_TOKEN: z.string().min(16).optional() });

export const gateway: ServiceModule = {
  name: 'gateway',
  setup: async (runtime) => {
    const { bus, blobs, settings, peer, httpPeer, store, now } = runtime;
    const { MILLRACE_TOKEN: token } = readEnv(envSchema, runtime.env);
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
        guard(app, tokens);
        refuseForeignOrigins(app, tokens);
        refuseWhenDiskIsFull(app, settings.dataDir);
        registerRpcRoutes(app, peer);
        await registerBlobRoutes(app, blobs);
        registerEventRoutes(app, bus);
        registerRunWatchRoute(app, bus, pipeline);
        registerTraceRoutes(app, traces, pipeline);
        registerPredictionOriginRoute(app, ownersOf(peer));
        registerDeadLetterRoutes(app, bus);
        registerStatusRoute(app, httpPeer);
        await proxy.register(app);
        app.get(`${apiPrefix}/openapi.json`, { config: { permission: 'read' } }, async () => document);
      },
      start: async () => {
        spans = await consumeRecords(bus, {
          name: 'gateway-traces',
          stream: 'SPANS',
          handle: async (record) => {
            const records = JSON.parse(new TextDecoder().decode(record.data)) as SpanRecord[];
            await traces.add(record.id, records, now());
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
