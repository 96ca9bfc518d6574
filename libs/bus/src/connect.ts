import { FailedPrecondition, messageOf, Unavailable } from '@millrace/errors';
import { JetStreamApiError, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { AuthorizationError, connect, type NatsConnection } from '@nats-io/transport-node';
import { context, trace } from '@opentelemetry/api';
import { AckedPublisher } from './acked-publish.ts';
import type { Bus, BusInternals, BusStatus, DrainOptions, RunningPart } from './bus.ts';
import { authenticatorOf, type BusCredentials, type BusTls, tlsOptionsOf } from './credentials.ts';
import { lastEventSequence, readEvents } from './event-reader.ts';
import { liveMessaging } from './live-messaging.ts';
import { type BusLogger, silentLogger } from './logger.ts';
import { streamPublishing } from './stream-publishing.ts';
import { checkToken } from './subjects.ts';
import { defaultTopology, ensureStreams, type TopologySettings } from './topology.ts';
import { backoffMs, sleep, Wake } from './waiting.ts';

export interface BusOptions {
  /** `nats://127.0.0.1:4222`, or several, comma separated. */
  readonly url: string;
  /** The service's name: source of its events, name of its connection. */
  readonly service: string;
  readonly version?: string;
  readonly logger?: BusLogger;
  /** Default none, for a broker that wants none. */
  readonly credentials?: BusCredentials;
  /** Given, the broker must speak TLS. */
  readonly tls?: BusTls;
  /** What differs from `defaultTopology`. All services must be given the same. */
  readonly topology?: Partial<TopologySettings>;
  /** How long to try the first connection, ms; default 30,000. */
  readonly connectTimeoutMs?: number;
}

/**
 * Connects, and creates the streams that are missing. Throws `Unavailable` when no server with JetStream
 * answers within the time, `FailedPrecondition` when it refuses the streams (too little storage, for
 * instance). Once connected it reconnects for ever.
 */
export const connectBus = async (options: BusOptions): Promise<Bus> => {
  checkToken(options.service, 'service');
  const logger = options.logger ?? silentLogger;
  const topology = { ...defaultTopology, ...options.topology };
  const deadline = performance.now() + (options.connectTimeoutMs ?? 30_000);
  const nc = await untilDeadline(deadline, options.url, () => connectOnce(options));
  try {
    const jsm = await untilDeadline(deadline, options.url, () => jetstreamManager(nc));
    await untilDeadline(deadline, options.url, () => ensureStreams(jsm, topology));
    const js = jetstream(nc);
    return assemble(options.service, nc, {
      nc,
      jsm,
      js,
      publisher: new AckedPublisher(nc, inboxPrefixOf(options.service)),
      logger,
      home: trace.deleteSpan(context.active()),
      topology,
      ensureStreams: () => ensureStreams(jsm, topology),
    });
  } catch (thrown) {
    await nc.close();
    throw thrown;
  }
};

const inboxPrefixOf = (service: string): string => `_INBOX_${service}`;

const connectOnce = ({ url, service, version, credentials, tls }: BusOptions): Promise<NatsConnection> =>
  connect({
    ...(credentials === undefined ? {} : { authenticator: authenticatorOf(credentials) }),
    ...(tls === undefined ? {} : { tls: tlsOptionsOf(tls) }),
    servers: url.split(',').map((server) => server.trim()),
    name: version === undefined ? service : `${service}/${version}`,
    // An inbox of one's own, so that permissions can keep services from reading each other's replies.
    inboxPrefix: inboxPrefixOf(service),
    maxReconnectAttempts: -1,
    // Credentials may be exchanged on one side before the other.
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => 100 + Math.random() * 400,
    timeout: 5_000,
    pingInterval: 10_000,
    // Captures a stack for each request otherwise: a third of the publishing rate.
    noAsyncTraces: true,
  });

const untilDeadline = async <T>(deadline: number, url: string, attempt: () => Promise<T>): Promise<T> => {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (thrown) {
      if (isRefusal(thrown))
        throw new FailedPrecondition(`the broker refused: ${messageOf(thrown)}`, { cause: thrown });
      const delayMs = backoffMs(failures, 50, 1_000);
      if (performance.now() + delayMs > deadline) {
        throw new Unavailable(`no NATS server with JetStream at ${url}: ${messageOf(thrown)}`, {
          cause: thrown,
          hint: 'Start it, or set NATS_URL to one that runs.',
        });
      }
      await sleep(delayMs);
    }
  }
};

/** Whether the server answered that it will not, rather than that it cannot now. */
const isRefusal = (thrown: unknown): boolean =>
  thrown instanceof AuthorizationError ||
  thrown instanceof FailedPrecondition ||
  (thrown instanceof JetStreamApiError && thrown.status !== 503 && thrown.status !== 408);

const assemble = (
  service: string,
  nc: NatsConnection,
  base: Omit<BusInternals, 'connected' | 'whenConnected' | 'onReconnect' | 'register'>,
): Bus => {
  const parts = new Set<RunningPart>();
  const connection = watchConnection(nc, base);
  const internals: BusInternals = {
    ...base,
    connected: connection.connected,
    whenConnected: connection.whenConnected,
    onReconnect: connection.onReconnect,
    register: (part) => {
      parts.add(part);
      return () => parts.delete(part);
    },
  };

  let draining: Promise<void> | undefined;
  const drainOnce = async (options: DrainOptions) => {
    const stopAll = (last: boolean) =>
      Promise.all(
        [...parts].filter((part) => (part.stopsLast ?? false) === last).map((part) => part.stop(options)),
      );
    await stopAll(false);
    await stopAll(true);
    // A drain flushes, which a lost connection cannot.
    await (connection.connected() ? nc.drain() : nc.close());
  };

  return {
    service,
    internals,
    status: (): BusStatus => ({
      connected: connection.connected(),
      ...(connection.connected() ? { server: nc.getServer() } : {}),
      ...(nc.info === undefined ? {} : { serverVersion: nc.info.version }),
      reconnects: connection.reconnects(),
      inFlight: [...parts].reduce((sum, part) => sum + (part.inFlight ?? 0), 0),
    }),
    ...liveMessaging(service, internals),
    ...streamPublishing(service, internals),
    readEvents: (readerOptions) => readEvents(internals, readerOptions),
    lastEventSequence: () => lastEventSequence(internals),
    drain: (drainOptions = {}) => {
      draining ??= drainOnce(drainOptions);
      return draining;
    },
  };
};

const watchConnection = (
  nc: NatsConnection,
  { logger, publisher }: Pick<BusInternals, 'logger' | 'publisher'>,
) => {
  const listeners = new Set<() => void>();
  let connected = true;
  let reconnects = 0;
  const watch = async () => {
    for await (const status of nc.status()) {
      switch (status.type) {
        case 'disconnect':
          connected = false;
          publisher.connectionLost();
          logger.warn({ server: status.server }, 'disconnected from the broker');
          break;
        case 'reconnect':
          connected = true;
          publisher.connectionRestored();
          reconnects += 1;
          logger.info({ server: status.server }, 'reconnected to the broker');
          for (const listener of listeners) listener();
          break;
        case 'error':
          logger.error({ err: status.error }, 'the broker reported an error');
          publisher.brokerRefused(status.error);
          break;
        default:
      }
    }
    connected = false;
  };
  void watch();
  const isConnected = () => connected && !nc.isClosed();
  const onReconnect = (listener: () => void) => {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  };
  const whenConnected = async (signal?: AbortSignal): Promise<void> => {
    const wake = new Wake();
    const stop = onReconnect(() => wake.announce());
    while (!isConnected() && !nc.isClosed() && signal?.aborted !== true) await wake.wait(1_000, signal);
    stop();
  };
  return { connected: isConnected, reconnects: () => reconnects, onReconnect, whenConnected };
};
