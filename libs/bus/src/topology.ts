import { Unavailable } from '@millrace/errors';
import {
  type ConsumerConfig,
  type ConsumerInfo,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { subjects } from './subjects.ts';

/** Names of the streams. What each is for stands at its declaration below. */
export const streams = {
  events: 'EVENTS',
  steps: 'STEPS',
  inference: 'INFERENCE',
  spans: 'SPANS',
  dead: 'DEAD',
  exhausted: 'EXHAUSTED',
} as const;
export type StreamName = (typeof streams)[keyof typeof streams];

export interface StreamLimits {
  readonly maxAgeMs: number;
  readonly maxBytes: number;
}

export interface TopologySettings {
  /**
   * Who creates and mends streams and consumers: each service what it uses, or a keeper (`startKeeper`), where services
   * have no right to. Default `services`.
   */
  readonly keptBy: 'services' | 'keeper';
  /** Copies of each stream: 1 for a single server, 3 in a cluster. */
  readonly replicas: number;
  readonly limits: Readonly<Record<StreamName, StreamLimits>>;
}

const day = 24 * 3_600_000;
const mebibyte = 1024 * 1024;

export const defaultTopology: TopologySettings = {
  keptBy: 'services',
  replicas: 1,
  limits: {
    EVENTS: { maxAgeMs: 14 * day, maxBytes: 1024 * mebibyte },
    STEPS: { maxAgeMs: 7 * day, maxBytes: 256 * mebibyte },
    INFERENCE: { maxAgeMs: 3 * day, maxBytes: 512 * mebibyte },
    SPANS: { maxAgeMs: day, maxBytes: 128 * mebibyte },
    DEAD: { maxAgeMs: 30 * day, maxBytes: 256 * mebibyte },
    EXHAUSTED: { maxAgeMs: 7 * day, maxBytes: 16 * mebibyte },
  },
};

type Declaration = Pick<StreamConfig, 'subjects' | 'retention' | 'discard' | 'description'>;

const declarations: Readonly<Record<StreamName, Declaration>> = {
  EVENTS: {
    description: 'Facts, for any number of consumers. The services own the truth: see refill and rebuild.',
    subjects: [`${subjects.events}.>`],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
  },
  STEPS: {
    description: 'Commands, each for one worker. When full, the sender keeps them.',
    subjects: [`${subjects.steps}.>`],
    retention: RetentionPolicy.Workqueue,
    discard: DiscardPolicy.New,
  },
  INFERENCE: {
    description: 'Batches of inference records; the oldest go first.',
    subjects: [`${subjects.inference}.>`],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
  },
  SPANS: {
    description: 'Recent spans, so that a trace can be shown without a collector.',
    subjects: [`${subjects.spans}.>`],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
  },
  DEAD: {
    description: 'Messages that cannot be handled, with cause and history, and marks of those replayed.',
    subjects: [`${subjects.dead}.>`, `${subjects.replayed}.>`],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
  },
  EXHAUSTED: {
    description: 'Notices of the server that a message was delivered too often, kept until somebody acts.',
    subjects: ['$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>', `${subjects.exhausted}.>`],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
  },
};

const configOf = (name: StreamName, settings: TopologySettings) => ({
  ...declarations[name],
  name,
  storage: StorageType.File,
  max_age: nanos(settings.limits[name].maxAgeMs),
  max_bytes: settings.limits[name].maxBytes,
  // The server takes no window longer than the age.
  duplicate_window: nanos(Math.min(2 * 60_000, settings.limits[name].maxAgeMs)),
  num_replicas: settings.replicas,
  allow_direct: true,
});

/**
 * Creates the streams that are missing and updates those that differ. Many services may do so at once. Where a keeper
 * does it, throws `Unavailable` until the stream of events is there.
 */
export const ensureStreams = async (jsm: JetStreamManager, settings: TopologySettings): Promise<void> => {
  if (settings.keptBy === 'keeper') {
    if ((await foundOrUndefined(jsm.streams.info(streams.events))) === undefined) {
      throw new Unavailable(`the stream ${streams.events} does not exist yet`, { hint: keeperHint });
    }
    return;
  }
  for (const name of Object.values(streams)) await ensureStream(jsm, configOf(name, settings));
};

const ensureStream = async (jsm: JetStreamManager, config: ReturnType<typeof configOf>): Promise<void> => {
  const existing = await foundOrUndefined(jsm.streams.info(config.name));
  if (existing === undefined) {
    try {
      await jsm.streams.add(config);
    } catch (thrown) {
      // Somebody else was faster; with the same declaration there is nothing left to do.
      if (!isApiError(thrown, streamNameInUse)) throw thrown;
    }
    return;
  }
  if (!covers(existing.config, config)) await jsm.streams.update(config.name, config);
};

const keeperHint = 'Start the keeper: it creates what is missing.';

const streamNameInUse = 10058;
const streamNotFound = 10059;
const consumerNotFound = 10014;
const messageNotFound = 10037;

export const isApiError = (thrown: unknown, code: number): boolean =>
  thrown instanceof JetStreamApiError && thrown.code === code;

export const isMissing = (thrown: unknown): boolean =>
  isApiError(thrown, streamNotFound) ||
  isApiError(thrown, consumerNotFound) ||
  isApiError(thrown, messageNotFound);

/** The answer, or `undefined` when the stream, consumer or message does not exist. */
export const foundOrUndefined = async <T>(answer: Promise<T>): Promise<T | undefined> => {
  try {
    return await answer;
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
};

/** Whether `actual` has every value that `wanted` states; the server adds defaults of its own. */
const covers = (actual: object, wanted: object): boolean =>
  Object.entries(wanted).every(
    ([name, value]) => JSON.stringify((actual as Record<string, unknown>)[name]) === JSON.stringify(value),
  );

/** A durable pull consumer with explicit acks, declared by its user. */
export type ConsumerDeclaration = Partial<ConsumerConfig> & { readonly durable_name: string };

/**
 * Creates the consumer or brings it to its declaration. One that can no longer deliver is replaced: the
 * stream's end lies before what it believes to have delivered, as after the broker lost data, so that new
 * messages would count as seen. Replacing delivers everything again; consumers de-duplicate. Where a keeper does all
 * this, throws `Unavailable` until it has.
 */
export const ensureConsumer = async (
  jsm: JetStreamManager,
  stream: StreamName,
  declaration: ConsumerDeclaration,
  keptBy: TopologySettings['keptBy'] = 'services',
): Promise<ConsumerInfo> => {
  const name = declaration.durable_name;
  const existing = await foundOrUndefined(jsm.consumers.info(stream, name));
  if (keptBy === 'keeper') {
    if (existing !== undefined && !(await isAheadOfStream(jsm, stream, existing))) return existing;
    throw new Unavailable(`the consumer ${name} of ${stream} is not there or lost its place`, {
      hint: keeperHint,
    });
  }
  if (existing !== undefined) {
    if (!(await isAheadOfStream(jsm, stream, existing))) {
      if (covers(existing.config, declaration)) return existing;
      const updated = await tryUpdate(jsm, stream, name, declaration);
      if (updated !== undefined) return updated;
    }
    await foundOrUndefined(jsm.consumers.delete(stream, name));
  }
  return jsm.consumers.add(stream, declaration);
};

/** Whether the consumer believes to be further than the stream is. */
export const isAheadOfStream = async (
  jsm: JetStreamManager,
  stream: StreamName,
  consumer: ConsumerInfo,
): Promise<boolean> => {
  const { state } = await jsm.streams.info(stream);
  return consumer.ack_floor.stream_seq > state.last_seq || consumer.delivered.stream_seq > state.last_seq;
};

const tryUpdate = async (
  jsm: JetStreamManager,
  stream: StreamName,
  name: string,
  declaration: ConsumerDeclaration,
): Promise<ConsumerInfo | undefined> => {
  try {
    return await jsm.consumers.update(stream, name, declaration);
  } catch (thrown) {
    // What cannot be updated (the ack policy, where to start) needs a new consumer.
    if (thrown instanceof JetStreamApiError) return undefined;
    throw thrown;
  }
};
