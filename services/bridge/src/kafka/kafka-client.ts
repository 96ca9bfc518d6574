import net from 'node:net';
import tls from 'node:tls';
import { messageOf } from '@millrace/errors';
import type { Logger } from '@millrace/telemetry';
import type { ISocketFactory, Kafka, KafkaConfig, LogEntry } from 'kafkajs';
import { stopIdleTimers } from './idle-timers.ts';
import type { KafkaSettings } from './settings.ts';

/** Thrown where something would have been sent to Kafka by who may no longer do so. */
export class NoLongerHolder extends Error {
  /** Tells `kafkajs` not to try again. */
  readonly retriable = false;
  constructor() {
    super('this bridge no longer holds the lease');
    this.name = 'NoLongerHolder';
  }
}

export interface KafkaClientOptions {
  readonly settings: KafkaSettings;
  readonly log: Logger;
  /** Asked right before every write to a socket. */
  readonly mayWrite: () => boolean;
  /** Told of what goes wrong on the way, tried again or not. */
  readonly onError: (message: string) => void;
}

const connectionTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
/** Milliseconds between attempts: doubled from attempt to attempt, up to the most. */
const retryDelayMs = { first: 100, most: 2_000 };
const keepAliveMs = 30_000;

/**
 * Sockets that carry nothing once the lease is over. The check comes right before the bytes go to the system, so that
 * a process that was paused with a request in its hands does not send it when it wakes.
 */
const guardedSockets =
  (mayWrite: () => boolean): ISocketFactory =>
  ({ host, port, ssl, onConnect }) => {
    if (!mayWrite()) throw new NoLongerHolder();
    const servername = net.isIP(host) === 0 ? { servername: host } : {};
    const socket = ssl
      ? tls.connect({ host, port, ...servername, ...(ssl as tls.ConnectionOptions) }, onConnect)
      : net.connect({ host, port }, onConnect);
    socket.setKeepAlive(true, keepAliveMs);
    socket.setNoDelay(true);
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (...args: unknown[]) => {
      if (mayWrite()) return write(...args);
      socket.destroy(new NoLongerHolder());
      return false;
    };
    return socket;
  };

/** A client that keeps to the lease. Loads `kafkajs` only here, where Kafka is wanted. */
export const createKafkaClient = async (
  { settings, log, mayWrite, onError }: KafkaClientOptions,
  retries: number,
): Promise<Kafka> => {
  const { Kafka: Client, logLevel } = await import('kafkajs');
  stopIdleTimers();
  const config: KafkaConfig = {
    clientId: 'millrace-bridge',
    brokers: [...settings.brokers],
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    retry: { retries, initialRetryTime: retryDelayMs.first, maxRetryTime: retryDelayMs.most },
    socketFactory: guardedSockets(mayWrite),
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ label, log: { message, error } }: LogEntry) => {
        const text = error === undefined ? message : `${message}: ${String(error)}`;
        // It is tried again, and `onError` decides what is worth a line of ours.
        log.debug({ kafkajs: label }, text);
        if (label === 'ERROR') onError(text);
      },
    ...(settings.tls === undefined ? {} : { ssl: tlsOptions(settings.tls) }),
    ...(settings.sasl === undefined ? {} : { sasl: settings.sasl }),
  };
  return new Client(config);
};

const tlsOptions = ({ ca, cert, key }: NonNullable<KafkaSettings['tls']>): tls.ConnectionOptions => ({
  ...(ca === undefined ? {} : { ca: [ca] }),
  ...(cert === undefined ? {} : { cert }),
  ...(key === undefined ? {} : { key }),
});

/** The code that Kafka answered (`MESSAGE_TOO_LARGE`), anywhere in the chain of causes. */
export const kafkaCodeOf = (thrown: unknown): string | undefined => {
  for (let error = thrown as { type?: string; cause?: unknown } | undefined; error !== undefined; ) {
    if (typeof error?.type === 'string') return error.type;
    const { cause } = error;
    error = typeof cause === 'object' && cause !== null && cause !== error ? cause : undefined;
  }
  return undefined;
};

export const kafkaMessageOf = (thrown: unknown): string => {
  const code = kafkaCodeOf(thrown);
  return code === undefined ? messageOf(thrown) : `${code}: ${messageOf(thrown)}`;
};
