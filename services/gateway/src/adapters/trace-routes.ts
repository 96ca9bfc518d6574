import { GetRunRequest, type PipelineServiceService } from '@millrace/contracts/pipeline';
import { Invalid } from '@millrace/errors';
import { apiPrefix } from '@millrace/rest';
import type { RpcClient } from '@millrace/service-kit';
import type { FastifyInstance } from 'fastify';
import type { TraceStore } from '../application/trace-store.ts';

const traceGrammar = /^[0-9a-f]{32}$/;

const options = { config: { permission: 'read' } } as const;

/** Shows the spans of a trace, found by its id or by the pipeline run that it follows. */
export const registerTraceRoutes = (
  app: FastifyInstance,
  traces: TraceStore,
  pipeline: RpcClient<typeof PipelineServiceService>,
): void => {
  app.get<{ Params: { traceId: string } }>(`${apiPrefix}/traces/:traceId`, options, async (request) => {
    const { traceId } = request.params;
    if (!traceGrammar.test(traceId)) throw Invalid.field('traceId', 'must be 32 hex digits');
    return { traceId, spans: await traces.get(traceId) };
  });
  app.get<{ Params: { id: string } }>(`${apiPrefix}/runs/:id/trace`, options, async (request) => {
    const { run } = await pipeline.getRun(GetRunRequest.fromPartial({ id: request.params.id }));
    const traceId = run?.traceId ?? '';
    return { traceId, spans: traceId === '' ? [] : await traces.get(traceId) };
  });
};
