import { count, record } from '@millrace/telemetry';
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer is a stream that lasts as long as its reader likes. */
    stream?: boolean;
  }
}

/** What `make` makes of a key, once: the labels of a series are kept, so that they are found at once. */
const keptBy = <T>(make: (...parts: string[]) => T) => {
  const kept = new Map<string, T>();
  return (...parts: string[]): T => {
    const key = parts.join(' ');
    const found = kept.get(key) ?? make(...parts);
    kept.set(key, found);
    return found;
  };
};

/** Counts and times the requests of a listener by their route; scrapes and probes too, they are load. */
export const measureRequests = (app: FastifyInstance, service: string): void => {
  const requestLabels = keptBy((method = '', route = '', status = '') => ({
    service,
    method,
    route,
    status,
  }));
  const routeLabels = keptBy((route = '') => ({ service, route }));
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    const status = String(reply.raw.statusCode);
    count('millrace_http_requests_total', requestLabels(request.method, route, status));
    if (request.routeOptions.config.stream !== true) {
      record('millrace_http_request_duration_seconds', reply.elapsedTime / 1000, routeLabels(route));
    }
    done();
  });
};
