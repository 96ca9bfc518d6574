import type { TlsStore } from '@millrace/certificates';
import {
  asMillraceError,
  ErrorCode,
  errorToJson,
  httpStatusOf,
  Invalid,
  NotFound,
  type Violation,
} from '@millrace/errors';
import { type Logger, prometheusText } from '@millrace/telemetry';
import fastify, { type FastifyInstance } from 'fastify';
import { drainable } from './http-drain.ts';
import { measureRequests } from './http-metrics.ts';
import { traceRequests } from './http-spans.ts';
import { authorizeRequest, followCertificates, httpsOptions } from './http-tls.ts';
import { listenFailure } from './listen-failure.ts';
import { LocalListener } from './local-listener.ts';

export interface HttpServerOptions {
  readonly service: string;
  readonly host: string;
  readonly port: number;
  readonly log: Logger;
  /** Problems that keep the service from working, by dependency; empty when it is ready. */
  readonly readiness: () => Promise<Readonly<Record<string, string>>>;
  /** Certificates: with them, requests are taken only from peers that may make them. Without, from anybody. */
  readonly tls?: TlsStore | undefined;
  /** What the service says of itself and of what it stands on. */
  readonly diagnosis?: () => Promise<object>;
  readonly routes?: (app: FastifyInstance) => void | Promise<void>;
  /** Requests but health checks wait for it: the listener answers before the service can. */
  readonly started?: Promise<void>;
}

export interface HttpServer {
  readonly port: number;
  readonly app: FastifyInstance;
  /** For the other services of this process. */
  readonly local: LocalListener;
  /** Takes no more connections, lets those there are come to their end, and goes on when they have. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

/** Seconds after which a client may try again what could not be answered now. */
const retryAfterSeconds = 1;

/** Bytes of a request body, unless a route says otherwise. */
const maxBodyBytes = 16 * 1024 * 1024;

/** Asked for every few seconds, and part of no story. */
const untraced = { config: { tracing: 'none' } } as const;

/** A service's HTTP listener: `/health/live`, `/health/ready`, `/metrics`, `/diagnosis`, and what the service adds. */
export const startHttpServer = async (options: HttpServerOptions): Promise<HttpServer> => {
  const { tls } = options;
  const app = fastify({
    ...(tls === undefined ? {} : { https: httpsOptions(tls) }),
    logger: false,
    bodyLimit: maxBodyBytes,
    forceCloseConnections: true,
    // An unknown field is a mistake to be told, not to be dropped.
    ajv: { customOptions: { removeAdditional: false } },
    // Names of endpoints and models are at most 128 characters each.
    routerOptions: { maxParamLength: 300 },
  });
  if (options.started !== undefined) holdUntil(app, options.started);
  const local = new LocalListener(app);
  const drain = drainable(app, local);
  traceRequests(app, options.service, local);
  measureRequests(app, options.service);
  if (tls !== undefined) {
    app.addHook('onRequest', async (request) => authorizeRequest(request));
    const unfollow = followCertificates(app, tls);
    app.addHook('onClose', async () => unfollow());
  }
  app.setErrorHandler((thrown, request, reply) => {
    const error = fromHttpFramework(thrown);
    if (error.code === ErrorCode.internal) {
      options.log.error({ err: error.cause ?? error, path: request.routeOptions.url }, 'request failed');
    }
    if (error.code === ErrorCode.unavailable && !reply.hasHeader('retry-after')) {
      reply.header('retry-after', retryAfterSeconds);
    }
    return reply.code(httpStatusOf(error.code)).send({ error: errorToJson(error) });
  });
  app.setNotFoundHandler((request) => {
    throw new NotFound(`${request.method} ${request.url.split('?')[0]} is not an address of this service`);
  });
  app.get('/health/live', untraced, async () => ({ status: 'ok' }));
  app.get('/health/ready', untraced, async (_request, reply) => {
    const problems = await options.readiness();
    const ready = Object.keys(problems).length === 0;
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'degraded', problems });
  });
  app.get('/metrics', untraced, async (_request, reply) =>
    reply.type('text/plain; version=0.0.4').send(await prometheusText()),
  );
  if (options.diagnosis !== undefined) app.get('/diagnosis', untraced, options.diagnosis);
  await options.routes?.(app);
  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (thrown) {
    await app.close();
    throw listenFailure(`${options.host}:${options.port}`, 'MILLRACE_HTTP_PORT', thrown);
  }
  const address = app.server.address();
  return {
    app,
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    local,
    drain,
    stop: async () => {
      await local.close();
      await app.close();
    },
  };
};

const holdUntil = (app: FastifyInstance, started: Promise<void>): void => {
  let held = true;
  started.then(() => {
    held = false;
  });
  app.addHook('onRequest', (request, _reply, done) => {
    if (!held || request.url.startsWith('/health/')) done();
    else started.then(() => done());
  });
};

interface SchemaError {
  readonly instancePath: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Names the field, also one that is unknown or missing, which the validator reports at its parent. */
const violationOf = ({ instancePath, message, params }: SchemaError): Violation => {
  const parent = instancePath.slice(1).replaceAll('/', '.');
  const at = (name: unknown) => [parent, name].filter((part) => part !== '').join('.');
  if (params.additionalProperty !== undefined) {
    return { path: at(params.additionalProperty), message: 'is not a field of this request' };
  }
  if (params.missingProperty !== undefined)
    return { path: at(params.missingProperty), message: 'is required' };
  const allowed = Array.isArray(params.allowedValues) ? `: ${params.allowedValues.join(', ')}` : '';
  return { path: parent, message: `${message ?? 'is not valid'}${allowed}` };
};

/** Fastify's own refusals (bad JSON, body too large, schema) are the caller's mistakes. */
const fromHttpFramework = (thrown: unknown) => {
  const { statusCode, validation, validationContext, message } = thrown as {
    statusCode?: number;
    message: string;
    validation?: readonly SchemaError[];
    validationContext?: string;
  };
  if (validation !== undefined) {
    const violations = validation.map(violationOf);
    const text = violations.map(
      (violation) => `${violation.path || validationContext}: ${violation.message}`,
    );
    return new Invalid(text.join('; '), { violations });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return new Invalid(message);
  return asMillraceError(thrown);
};
