import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { TlsStore } from '@millrace/certificates';
import { asMillraceError, ErrorCode, grpcStatusOf } from '@millrace/errors';
import { contextFromHeaders, inSpan, type Logger, record, runAsService } from '@millrace/telemetry';
import { context } from '@opentelemetry/api';
import { HealthImplementation } from 'grpc-health-check';
import { TlsServerCredentials } from './grpc-credentials.ts';
import { toGrpcStatus } from './grpc-errors.ts';
import { listenFailure } from './listen-failure.ts';
import { authorizeCall, CallerIdentities } from './rpc-authorization.ts';
import { rpcServerSpan } from './rpc-spans.ts';
import type { RpcHandlers, RpcService } from './rpc-types.ts';

/** A service definition with the handlers that answer it. */
export interface RpcBinding {
  readonly definition: RpcService;
  readonly handlers: Readonly<Record<string, unknown>>;
}

/** Pairs a generated definition with handlers, checking that every method has one. */
export const rpc = <S extends object>(definition: S, handlers: RpcHandlers<S>): RpcBinding => ({
  definition: definition as unknown as RpcService,
  handlers: handlers as Readonly<Record<string, unknown>>,
});

export interface RpcServerOptions {
  readonly service: string;
  readonly host: string;
  readonly port: number;
  readonly bindings: readonly RpcBinding[];
  readonly log: Logger;
  /** Certificates: with them, calls are taken only from services that may make them. Without, from anybody. */
  readonly tls?: TlsStore | undefined;
  /** Calls wait for it: the listener answers before the service can. */
  readonly started?: Promise<void>;
}

export interface RpcServer {
  readonly port: number;
  /** What the standard health service answers. */
  setServing(serving: boolean): void;
  /** Takes no more calls, lets those under way end (at most 5 s), then closes. */
  stop(): Promise<void>;
}

/** Bytes of a message: control traffic carries references, never data. */
const maxMessageBytes = 4 * 1024 * 1024;
const stopGraceMs = 5_000;

/** Serves the bindings and the standard health service. */
export const startRpcServer = async (options: RpcServerOptions): Promise<RpcServer> => {
  const server = new Server({ 'grpc.max_receive_message_length': maxMessageBytes });
  const callers = new CallerIdentities();
  const health = new HealthImplementation({ '': 'NOT_SERVING' });
  health.addToServer(server);
  for (const { definition, handlers } of options.bindings) {
    const implementation = Object.fromEntries(
      Object.entries(definition).map(([name, { path }]) => [
        name,
        unary(options, callers, path, handlers[name] as UnaryHandler),
      ]),
    );
    server.addService(
      definition as unknown as ServiceDefinition,
      implementation as UntypedServiceImplementation,
    );
  }
  const port = await new Promise<number>((resolve, reject) => {
    const address = `${options.host}:${options.port}`;
    server.bindAsync(address, credentialsOf(options), (error, bound) =>
      error === null ? resolve(bound) : reject(listenFailure(address, 'MILLRACE_GRPC_PORT', error)),
    );
  });
  return {
    port,
    setServing: (serving) => health.setStatus('', serving ? 'SERVING' : 'NOT_SERVING'),
    stop: () => stop(server),
  };
};

const credentialsOf = ({ tls }: RpcServerOptions): ServerCredentials =>
  tls === undefined ? ServerCredentials.createInsecure() : new TlsServerCredentials(tls);

type UnaryHandler = (request: unknown, call: object) => Promise<unknown>;

const unary = (
  { service, log, tls, started }: RpcServerOptions,
  callers: CallerIdentities,
  path: string,
  handle: UnaryHandler,
): handleUnaryCall<unknown, unknown> => {
  const method = path.slice(1);
  const answer = (call: ServerUnaryCall<unknown, unknown>, done: sendUnaryData<unknown>) => {
    const abort = new AbortController();
    call.on('cancelled', () => abort.abort());
    const begun = performance.now();
    const finish = (code: number) =>
      record('millrace_rpc_server_duration_seconds', (performance.now() - begun) / 1000, {
        service,
        method,
        code: String(code),
      });
    const parent = contextFromHeaders(call.metadata.getMap() as Record<string, string>, context.active());
    inSpan(method, rpcServerSpan(method, parent), async () => {
      if (tls !== undefined) authorizeCall(callers.of(call), method);
      await started;
      return runAsService(service, () =>
        handle(call.request, { signal: abort.signal, metadata: call.metadata }),
      );
    }).then(
      (response) => {
        finish(0);
        done(null, response);
      },
      (thrown: unknown) => {
        const error = asMillraceError(thrown);
        if (error.code === ErrorCode.internal)
          log.error({ err: error.cause ?? error, method }, 'call failed');
        if (error.code === ErrorCode.denied) log.warn({ ...error.details, method }, error.message);
        finish(grpcStatusOf(error.code));
        done(toGrpcStatus(error));
      },
    );
  };
  return (call, done) => runAsService(service, () => answer(call, done));
};

const stop = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const forced = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, stopGraceMs);
    server.tryShutdown(() => {
      clearTimeout(forced);
      resolve();
    });
  });
