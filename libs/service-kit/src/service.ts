import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobStore, openBlobStore } from '@millrace/blobs';
import {
  type Bus,
  connectBus,
  consumeEvents,
  type Running,
  rebuildIfLost,
  type Subscription,
  serveRefill,
  startRelay,
  work,
} from '@millrace/bus';
import type { TlsStore } from '@millrace/certificates';
import { strictCodec } from '@millrace/contracts';
import { StepCommand } from '@millrace/contracts/step';
import { StorageServiceService } from '@millrace/contracts/storage';
import { messageOf } from '@millrace/errors';
import { type DocumentStore, type Migration, openStore } from '@millrace/store';
import { createLogger, type Logger, runAsService } from '@millrace/telemetry';
import type { FastifyInstance } from 'fastify';
import { StoredCancellations } from './cancellations.ts';
import { PeerChannel } from './grpc-client.ts';
import { type RpcBinding, rpc, startRpcServer } from './grpc-server.ts';
import { HttpPeer, type HttpPeerOptions } from './http-peer.ts';
import { startHttpServer } from './http-server.ts';
import { countLifecycle } from './lifecycle-metrics.ts';
import { openTls, requireProtectedListeners } from './listener-security.ts';
import type { LocalListener } from './local-listener.ts';
import { readNatsSettings } from './nats-settings.ts';
import type { RpcClient } from './rpc-types.ts';
import { selfReport } from './self-report.ts';
import { observeReadiness, observeService } from './service-metrics.ts';
import type { Env, ServiceName, Settings } from './settings.ts';
import { publishSpans } from './span-publishing.ts';
import { type StepHandler, type StepWorkerOptions, stepWorker } from './step-worker.ts';
import { type CollectionInventory, inventoried } from './storage/collection-inventory.ts';
import type { StorageParts } from './storage/retention.ts';
import { storageRpc } from './storage/storage-rpc.ts';

/** What a service is given to build itself from. */
export interface Runtime {
  readonly settings: Settings;
  /** For the service's own variables; read them with `readEnv` in the composition root only. */
  readonly env: Env;
  readonly store: DocumentStore;
  readonly bus: Bus;
  readonly blobs: BlobStore;
  readonly log: Logger;
  /** A directory of the service's own for temporary files. */
  readonly tempDir: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A typed client of another service. */
  readonly peer: <S extends object>(name: ServiceName, definition: S) => RpcClient<S>;
  /** Calls to another service's own HTTP listener; closed with the service. */
  readonly httpPeer: (name: ServiceName, options: HttpPeerOptions) => HttpPeer;
}

/** What a service consists of. Everything here is started after `setup` returns and stopped before `stop`. */
export interface ServiceParts {
  readonly rpc?: readonly RpcBinding[];
  /** Durable event consumers; the name is `<service>-<purpose>`. */
  readonly consumers?: readonly { readonly name: string; readonly subscriptions: readonly Subscription[] }[];
  readonly steps?: {
    readonly handlers: Readonly<Record<string, StepHandler>>;
    readonly events: StepWorkerOptions['events'];
    /** Steps done at once by this process. */
    readonly concurrency: number;
  };
  /** What the collector of garbage must know of the service's documents, beyond what it sees in them. */
  readonly storage?: StorageParts;
  readonly routes?: (app: FastifyInstance) => void | Promise<void>;
  /** Background work; begins once the listeners answer. */
  readonly start?: () => Promise<void>;
  readonly stop?: () => Promise<void>;
  /** Problems of the service's own dependencies. */
  readonly readiness?: () => Promise<Readonly<Record<string, string>>>;
}

export interface ServiceModule {
  readonly name: ServiceName;
  readonly migrations?: readonly Migration[];
  setup(runtime: Runtime): Promise<ServiceParts>;
}

export interface RunningService {
  readonly name: ServiceName;
  readonly grpcPort: number;
  readonly httpPort: number;
  /** Its HTTP listener, for the services that share its process. */
  readonly local: LocalListener;
  /**
   * Stops intake, lets work under way end, flushes, closes. With `drain` it waits until clients have left its HTTP
   * listener, so that none of their calls fails when another process answers in its place.
   */
  stop(options?: { readonly drain?: boolean }): Promise<void>;
}

/** Finds the listener of a service that runs in this process; asked with each request. */
export type Neighbours = (service: ServiceName) => LocalListener | undefined;

/**
 * Starts one service in this process. Fails, with everything closed again, when any part does not start.
 *
 * @param neighbours services to which requests are handed over instead of sent; by default there are none
 */
export const startService = (
  module: ServiceModule,
  settings: Settings,
  env: Env,
  neighbours: Neighbours = () => undefined,
): Promise<RunningService> => runAsService(module.name, () => start(module, settings, env, neighbours));

const start = async (
  module: ServiceModule,
  settings: Settings,
  env: Env,
  neighbours: Neighbours,
): Promise<RunningService> => {
  const closers: Closers = [];
  const begun = Promise.withResolvers<void>();
  let drain = async () => {};
  const stop = async (options: { readonly drain?: boolean } = {}) => {
    if (options.drain === true) await drain();
    // The reverse of the start: intake first, stores last. One failing part must not keep the others open.
    for (const close of closers.splice(0).reverse()) {
      await (async () => close())().catch((thrown: unknown) => log.error({ err: thrown }, 'stop failed'));
    }
  };
  const log = createLogger(settings.logLevel, env.MILLRACE_LOG_FILE);
  try {
    requireProtectedListeners(settings, log);
    const tls = settings.tls === undefined ? undefined : await openTls(settings.tls, module.name, log);
    closers.push(() => tls?.close());
    const { runtime, inventory, ready } = await openRuntime(
      module,
      settings,
      env,
      log,
      tls,
      neighbours,
      closers,
    );
    const parts = await module.setup(runtime);
    if (parts.stop !== undefined) closers.push(parts.stop);
    let started = false;
    // What a process that comes in the place of another is asked meanwhile waits, but not for ever: services that
    // start together may ask each other.
    const held = setTimeout(begun.resolve, startHoldMs);
    const server = await startListeners(
      module,
      runtime,
      inventory,
      parts,
      tls,
      closers,
      begun.promise,
      async () => ({
        ...(started ? {} : { service: 'is starting or stopping' }),
        ...(await ready()),
      }),
    );
    await startIntake(module, runtime, parts, closers);
    await parts.start?.();
    started = true;
    clearTimeout(held);
    begun.resolve();
    drain = server.drain;
    server.setServing(true);
    closers.push(() => {
      started = false;
      server.setServing(false);
    });
    log.info({ grpcPort: server.grpcPort, httpPort: server.httpPort }, 'service started');
    const { grpcPort, httpPort, local } = server;
    return { name: module.name, grpcPort, httpPort, local, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
};

/** Milliseconds after which the events in the hands of a process that died are given to another. */
const eventLeaseMs = 5_000;

/** Milliseconds that calls wait for a service that listens and has not started yet. */
const startHoldMs = 5_000;

/** Milliseconds that a step gets to end when its service stops; after that another worker begins it again. */
const stepGraceMs = 2_000;

/** What ends the parts of a service, in the order in which they were started. */
type Closers = (() => Promise<unknown> | unknown)[];

type Readiness = () => Promise<Record<string, string>>;

const openRuntime = async (
  module: ServiceModule,
  settings: Settings,
  env: Env,
  log: Logger,
  tls: TlsStore | undefined,
  neighbours: Neighbours,
  closers: Closers,
): Promise<{ runtime: Runtime; inventory: CollectionInventory; ready: Readiness }> => {
  const directory = join(settings.dataDir, module.name);
  const tempDir = join(directory, 'tmp');
  await mkdir(tempDir, { recursive: true, mode: 0o700 });
  const opened = await openStore({
    url: settings.storeUrl,
    access: settings.storeAccess,
    service: module.name,
    logger: log,
  });
  const { store, inventory } = inventoried(opened);
  closers.push(() => store.close());
  await store.migrate(module.migrations ?? []);
  const blobs = await openBlobStore({
    url: settings.blobsUrl,
    dataDir: settings.dataDir,
    maxCopyBytes: settings.maxBlobCopyBytes,
  });
  closers.push(() => blobs.close());
  const { keptBy, ...identity } = readNatsSettings(env);
  const bus = await connectBus({
    url: settings.natsUrl,
    service: module.name,
    logger: log,
    ...identity,
    topology: { replicas: settings.streamReplicas, keptBy },
  });
  closers.push(() => bus.drain());
  closers.push(publishSpans(bus, settings.natsUrl));
  const relay = startRelay({
    bus,
    outbox: store.outbox,
    onPublished: (message) => countLifecycle(module.name, message),
  });
  closers.push(() => relay.stop());
  await rebuildIfLost({ bus, outbox: store.outbox });
  const refill = serveRefill({ bus, outbox: store.outbox, service: module.name });
  closers.push(() => refill.stop());
  closers.push(
    observeService({ service: module.name, store, bus, dataDir: settings.dataDir, tls, now: Date.now }),
  );

  const channels = new Map<ServiceName, PeerChannel>();
  closers.push(() => {
    for (const channel of channels.values()) channel.close();
  });
  const peer = <S extends object>(name: ServiceName, definition: S): RpcClient<S> => {
    const channel = channels.get(name) ?? new PeerChannel(name, () => settings.addresses(name, 'grpc'), tls);
    channels.set(name, channel);
    return channel.service(definition);
  };
  const httpPeer = (name: ServiceName, options: HttpPeerOptions): HttpPeer => {
    const place = { address: () => settings.addresses(name, 'http'), local: () => neighbours(name) };
    const opened = new HttpPeer(name, place, tls, options);
    closers.push(() => opened.close());
    return opened;
  };
  const ready: Readiness = async () => {
    const problems: Record<string, string> = {};
    await store.ping().catch((thrown: unknown) => {
      problems.store = messageOf(thrown);
    });
    if (!bus.status().connected) problems.bus = 'not connected to NATS';
    return problems;
  };
  return {
    runtime: { settings, env, store, bus, blobs, log, tempDir, now: Date.now, peer, httpPeer },
    inventory,
    ready,
  };
};

const startListeners = async (
  module: ServiceModule,
  runtime: Runtime,
  inventory: CollectionInventory,
  parts: ServiceParts,
  tls: TlsStore | undefined,
  closers: Closers,
  started: Promise<void>,
  ready: Readiness,
) => {
  const { settings, store, log } = runtime;
  const readiness = async () => ({ ...(await ready()), ...(await parts.readiness?.()) });
  closers.push(observeReadiness(module.name, readiness));
  const http = await startHttpServer({
    service: module.name,
    host: settings.host,
    port: settings.httpPort,
    log,
    // The gateway's is the edge: users have tokens, and TLS ends before it.
    tls: module.name === 'gateway' ? undefined : tls,
    started,
    readiness,
    diagnosis: async () => selfReport(runtime, await readiness()),
    ...(parts.routes === undefined ? {} : { routes: parts.routes }),
  });
  closers.push(() => http.stop());
  const grpc = await startRpcServer({
    service: module.name,
    host: settings.grpcHost,
    port: settings.grpcPort,
    tls,
    started,
    bindings: [
      ...(parts.rpc ?? []),
      rpc(StorageServiceService, storageRpc({ store, inventory, ...parts.storage })),
    ],
    log,
  });
  closers.push(() => grpc.stop());
  const { local, drain } = http;
  return { grpcPort: grpc.port, httpPort: http.port, setServing: grpc.setServing, local, drain };
};

const startIntake = async (
  { name }: ServiceModule,
  { bus, store, blobs, settings, log }: Runtime,
  { consumers = [], steps }: ServiceParts,
  closers: Closers,
): Promise<void> => {
  const keep = (running: Running, graceMs?: number) =>
    closers.push(() => running.stop(graceMs === undefined ? {} : { graceMs }));
  const consume = async (consumer: string, subscriptions: readonly Subscription[]) =>
    keep(
      await consumeEvents(bus, {
        name: consumer,
        subscriptions,
        inbox: store.inbox,
        ackWaitMs: eventLeaseMs,
        reconcileMs: settings.reconcileMs,
      }),
    );
  for (const consumer of consumers) await consume(consumer.name, consumer.subscriptions);
  if (steps !== undefined) {
    const cancellations = new StoredCancellations(store);
    await consume(`${name}-cancellations`, cancellations.subscriptions());
    keep(
      await work(bus, {
        name: `${name}-steps`,
        subject: `millrace.step.${name}.>`,
        codec: strictCodec(StepCommand, 'millrace.step.v1.StepCommand'),
        concurrency: steps.concurrency,
        ackWaitMs: settings.stepLeaseMs,
        handle: stepWorker({ service: name, bus, store, blobs, log, ...steps, cancellations }),
      }),
      stepGraceMs,
    );
  }
};
