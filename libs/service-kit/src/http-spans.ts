import { messageOf } from '@millrace/errors';
import {
  asHighRate,
  asUnlimited,
  contextFromHeaders,
  failSpan,
  inSpan,
  isRecorded,
  runAsService,
  type SpanDetails,
} from '@millrace/telemetry';
import {
  type Attributes,
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  trace,
} from '@opentelemetry/api';
import {
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_FULL,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
} from '@opentelemetry/semantic-conventions';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LocalListener } from './local-listener.ts';
import { whenClosed } from './when-closed.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * `none`: requests make no spans. `high_rate`: they come by the thousand, so only some of those that begin a
     * trace are recorded. `unlimited`: each that begins a trace is recorded, for it is looked for afterwards. Default:
     * up to a limit of new traces.
     */
    tracing?: 'none' | 'high_rate' | 'unlimited';
  }
}

const tracer = trace.getTracer('@millrace/service-kit');

/** The address that the request came to; the query is left out, since anything may stand in it. */
const attributesOf = (request: FastifyRequest): Attributes => {
  const route = request.routeOptions.url;
  const { localAddress, localPort } = request.socket;
  return {
    [ATTR_HTTP_REQUEST_METHOD]: request.method,
    [ATTR_URL_PATH]: request.url.split('?')[0]?.slice(0, 500) ?? '',
    [ATTR_URL_SCHEME]: request.protocol,
    [ATTR_NETWORK_PROTOCOL_VERSION]: request.raw.httpVersion,
    ...(route === undefined ? {} : { [ATTR_HTTP_ROUTE]: route }),
    ...(localAddress === undefined ? {} : { [ATTR_SERVER_ADDRESS]: localAddress }),
    ...(localPort === undefined ? {} : { [ATTR_SERVER_PORT]: localPort }),
  };
};

/** What limits new traces, by the way that a route is traced. */
const limits = {
  none: (incoming: Context) => incoming,
  default: (incoming: Context) => incoming,
  high_rate: asHighRate,
  unlimited: asUnlimited,
} as const;

/** Contexts of requests that begin a trace, by the way that their route is traced; `none` is the service's own. */
type Beginnings = Readonly<Record<keyof typeof limits, Context>>;

const beginningsOf = (service: string): Beginnings => {
  const home = context.with(ROOT_CONTEXT, () => runAsService(service, () => context.active()));
  return {
    none: limits.none(home),
    default: limits.default(home),
    high_rate: limits.high_rate(home),
    unlimited: limits.unlimited(home),
  };
};

/** Whether it was decided that the trace is not recorded: spans of it would be made for nobody. */
const isUnrecorded = (ctx: Context): boolean => {
  const span = trace.getSpanContext(ctx);
  return span !== undefined && !isRecorded(span);
};

const start = (request: FastifyRequest, parent: Context): Span => {
  const { url: route } = request.routeOptions;
  const name = route === undefined ? request.method : `${request.method} ${route}`;
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER }, parent);
  if (span.isRecording()) span.setAttributes(attributesOf(request));
  return span;
};

/** A status of 4xx is the caller's mistake: only 5xx fails a server's span. */
const end = (span: Span, { raw }: FastifyReply): void => {
  if (raw.headersSent) {
    span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, raw.statusCode);
    if (raw.statusCode >= 500) failSpan(span, String(raw.statusCode), raw.statusMessage);
  }
  span.end();
};

/**
 * Makes each request a span of the service, as the conventions for HTTP say, within the trace that the caller's
 * `traceparent` names, or that it was handed over in. What the request causes is done in it.
 */
export const traceRequests = (app: FastifyInstance, service: string, local: LocalListener): void => {
  let beginnings: Beginnings | undefined;
  const incomingOf = (request: FastifyRequest, { none: home }: Beginnings): Context => {
    const cause = local.causeOf(request.raw);
    if (cause !== undefined) return trace.setSpanContext(home, { ...cause, isRemote: true });
    return contextFromHeaders(request.headers as Record<string, string>, home);
  };
  app.addHook('onRequest', (request, reply, done) => {
    const { tracing = 'default' } = request.routeOptions.config;
    beginnings ??= beginningsOf(service);
    const incoming = incomingOf(request, beginnings);
    if (isUnrecorded(incoming) || tracing === 'none') return context.with(incoming, done);
    const begins = incoming === beginnings.none;
    const span = start(request, begins ? beginnings[tracing] : limits[tracing](incoming));
    // Also when the caller left before the answer.
    if (span.isRecording()) whenClosed(reply.raw, () => end(span, reply));
    context.with(trace.setSpan(incoming, span), done);
  });
};

interface Answer {
  readonly statusCode: number;
}

/**
 * Makes a request to another service a span, within which `call` sends it.
 *
 * @param url address without a query; asked for only when the span is recorded
 */
export const inHttpClientSpan = <T extends Answer>(
  method: string,
  url: () => URL,
  call: () => Promise<T>,
): Promise<T> => {
  if (isUnrecorded(context.active())) return call();
  return inSpan(method, clientDetails, async (span) => {
    if (!span.isRecording()) return call();
    span.setAttributes(targetOf(method, url()));
    const answer = await call();
    const { statusCode } = answer;
    span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, statusCode);
    if (statusCode >= 400) failSpan(span, String(statusCode), '');
    return answer;
  });
};

const clientDetails: SpanDetails = {
  kind: SpanKind.CLIENT,
  onError: (span, thrown) => {
    const code = (thrown as { code?: unknown } | null)?.code;
    failSpan(span, typeof code === 'string' ? code : '_OTHER', messageOf(thrown));
  },
};

const targetOf = (method: string, { href, hostname, port, protocol }: URL): Attributes => ({
  [ATTR_HTTP_REQUEST_METHOD]: method,
  [ATTR_URL_FULL]: href,
  [ATTR_SERVER_ADDRESS]: hostname,
  [ATTR_SERVER_PORT]: Number(port) || (protocol === 'https:' ? 443 : 80),
});
