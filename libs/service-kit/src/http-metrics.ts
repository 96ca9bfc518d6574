import { count, record } from '@millrace/telemetry';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** A stream of events bypasses the framework, which therefore knows no type of its content. */
const isStream = ({ raw, statusCode }: FastifyReply): boolean =>
  statusCode === 200 && !raw.hasHeader('content-type');

/** Counts and times the requests of a listener by their route; scrapes and probes too, they are load. */
export const measureRequests = (app: FastifyInstance, service: string): void => {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    const status = String(reply.raw.statusCode);
    count('millrace_http_requests_total', { service, method: request.method, route, status });
    if (!isStream(reply)) {
      record('millrace_http_request_duration_seconds', reply.elapsedTime / 1000, { service, route });
    }
    done();
  });
};
