import { count, type LabelsOf, record } from '@millrace/telemetry';
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer is a stream that lasts as long as its reader likes. */
    stream?: boolean;
  }
}

/** The labels of one route's series: kept, so that the series are found at once. */
class RouteLabels {
  readonly ofRoute: { readonly service: string; readonly route: string };
  readonly #ofRequests = new Map<string, LabelsOf<'millrace_http_requests_total'>>();

  constructor(service: string, route: string) {
    this.ofRoute = { service, route };
  }

  ofRequest(method: string, status: string): LabelsOf<'millrace_http_requests_total'> {
    const key = method + status;
    let labels = this.#ofRequests.get(key);
    if (labels === undefined) {
      const { service, route } = this.ofRoute;
      labels = { service, method, route, status };
      this.#ofRequests.set(key, labels);
    }
    return labels;
  }
}

/** Counts and times the requests of a listener by their route; scrapes and probes too, they are load. */
export const measureRequests = (app: FastifyInstance, service: string): void => {
  const routes = new Map<string, RouteLabels>();
  app.addHook('onResponse', (request, reply, done) => {
    const { url: route = 'none', config } = request.routeOptions;
    let labels = routes.get(route);
    if (labels === undefined) {
      labels = new RouteLabels(service, route);
      routes.set(route, labels);
    }
    count('millrace_http_requests_total', labels.ofRequest(request.method, String(reply.raw.statusCode)));
    if (config.stream !== true) {
      record('millrace_http_request_duration_seconds', reply.elapsedTime / 1000, labels.ofRoute);
    }
    done();
  });
};
