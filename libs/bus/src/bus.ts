import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Context, SpanContext } from '@opentelemetry/api';
import type { AckedPublisher } from './acked-publish.ts';
import type { EventReaderOptions, TailedEvent } from './event-reader.ts';
import type { BusLogger } from './logger.ts';
import type { Running } from './port.ts';
import type { TopologySettings } from './topology.ts';

/** A message of core NATS: live, not stored. */
export interface LiveMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** The payload as JSON. Throws `Invalid` when it is not. */
  json(): unknown;
}

export interface BusStatus {
  readonly connected: boolean;
  /** `127.0.0.1:4222` of the server, when connected. */
  readonly server?: string;
  readonly serverVersion?: string;
  /** Reconnects since the start. */
  readonly reconnects: number;
  /** Messages that consumers of this process hold unsettled. */
  readonly inFlight: number;
}

export interface RequestOptions {
  /** Default 5,000. */
  readonly timeoutMs?: number;
}

export interface PublishOptions {
  /** De-duplication id; a repeat within two minutes is dropped by the server. */
  readonly id?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a message that holds many records is made of. */
export interface PublishedBatch {
  /** Records in it. */
  readonly size: number;
  /** Spans that the records come from, as many as are worth a link; recorded or not. */
  readonly causes: readonly SpanContext[];
}

export interface InferenceOptions extends PublishOptions {
  readonly batch?: PublishedBatch;
}

export interface DrainOptions {
  /** How long handlers under way may take before their signal aborts, ms; default 10,000. */
  readonly graceMs?: number;
}

/**
 * A service's connection to the bus. It reconnects for ever. Events and commands are not published here but
 * committed to the service's outbox, from which `startRelay` publishes them.
 */
export interface Bus {
  readonly service: string;
  /** For readiness. */
  status(): BusStatus;

  /** Publishes JSON live. Lossy: dropped while disconnected, and when nobody listens. Never throws on that. */
  publishProgress(subject: string, json: unknown): void;
  subscribeProgress(subject: string, handle: (json: unknown, subject: string) => void): Running;
  /** Live messages on a subject (wildcards allowed). An error of `handle` is logged. */
  subscribe(subject: string, handle: (message: LiveMessage) => void | Promise<void>): Running;

  /** Publishes to the stream `INFERENCE`; resolves when the broker has it, throws `Unavailable` otherwise. */
  publishInference(subject: string, bytes: Uint8Array, options?: InferenceOptions): Promise<void>;
  /** Publishes spans of this process to the stream `SPANS`, under this service's name. Throws `Unavailable` like `publishInference`. */
  publishSpans(bytes: Uint8Array, options?: PublishOptions): Promise<void>;

  /** Asks the one who answers on `subject`. Throws what it threw, `Unavailable` when nobody answers there, `TimedOut`. */
  request(subject: string, json: unknown, options?: RequestOptions): Promise<unknown>;
  /** Answers requests, shared with the other processes of the service. What `answer` throws reaches the asker. */
  reply(subject: string, answer: (json: unknown, message: LiveMessage) => Promise<unknown>): Running;

  /** Reads the stream `EVENTS` in order without leaving a trace on it, and resumes by itself after a disconnect. */
  readEvents(options?: EventReaderOptions): AsyncIterable<TailedEvent>;
  /**
   * Sequence of the newest event in the stream `EVENTS`, 0 when there was none: who reads on from there misses nothing that
   * happens from now on. Throws `Unavailable` without a connection.
   */
  lastEventSequence(): Promise<number>;

  /** Stops consumers, workers and relays, lets handlers end, flushes, closes. Safe to repeat. */
  drain(options?: DrainOptions): Promise<void>;

  /** For the functions of this package. */
  readonly internals: BusInternals;
}

export interface BusInternals {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly publisher: AckedPublisher;
  readonly jsm: JetStreamManager;
  readonly logger: BusLogger;
  /** The context that the bus was connected in, without its span: it tells whose service the work is. */
  readonly home: Context;
  readonly topology: TopologySettings;
  ensureStreams(): Promise<void>;
  connected(): boolean;
  /** Resolves when connected, when `signal` aborts, or when the bus is closed. */
  whenConnected(signal?: AbortSignal): Promise<void>;
  /** Calls back on each reconnect; returns how to stop it. */
  onReconnect(listener: () => void): () => void;
  /** Has `drain` stop it; returns how to take it off the list. */
  register(part: RunningPart): () => void;
}

/** Something that works until it is stopped. */
export interface RunningPart extends Running {
  stop(options?: DrainOptions): Promise<void>;
  readonly inFlight?: number;
  /** Set where others still hand it work while they stop. */
  readonly stopsLast?: boolean;
}
