import type { ConsumerInfo, JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { exhaustedConsumer } from './access/declared-consumers.ts';
import type { Bus } from './bus.ts';
import { type ConsumerProblem, problemOf, stuckAfterMs } from './consumer-health.ts';
import { foundOrUndefined, type StreamName, streams } from './topology.ts';

/** A stream as it is now. */
export interface StreamReport {
  readonly name: StreamName;
  /** Absent when the stream does not exist, with all that follows. */
  readonly state?: {
    readonly messages: number;
    readonly bytes: number;
    readonly firstSequence: number;
    readonly lastSequence: number;
    /** Numbers within it that have no message. A work queue has them by nature; any other stream lost them. */
    readonly holes: number;
    /** ISO 8601. */
    readonly created: string;
  };
  readonly replicas?: {
    readonly wanted: number;
    /** Copies that have all that the leader has, itself included. */
    readonly current: number;
    /** Name of the server that leads; absent while there is none, and on a single server. */
    readonly leader?: string;
  };
  readonly problem?: 'missing' | 'lost_messages' | 'replica_behind';
}

/** A durable consumer as it is now. */
export interface ConsumerReport {
  readonly stream: StreamName;
  readonly name: string;
  /** Messages that were not delivered to it yet: its lag. */
  readonly pending: number;
  /** Delivered and not settled. */
  readonly unacknowledged: number;
  /** Of those, delivered more than once. */
  readonly redelivered: number;
  /** Requests for messages that wait at the server: processes that are ready to take some. */
  readonly readers: number;
  /** Stream sequence up to which all is settled. */
  readonly ackFloor: number;
  /** Milliseconds that what waits has waited without any being settled. */
  readonly stalledMs: number;
  /** Messages that the server gave up on and nobody has buried. */
  readonly givenUp: number;
  readonly problem?: ConsumerProblem;
}

export interface BusReport {
  readonly server: { readonly version: string; readonly cluster?: string };
  readonly streams: readonly StreamReport[];
  readonly consumers: readonly ConsumerReport[];
}

export interface InspectOptions {
  /** Consumers that must be there, by their streams; those that are not count as `missing`. */
  readonly expected?: readonly { readonly stream: StreamName; readonly name: string }[];
  /** How long a consumer may make no progress, ms; default 60,000. */
  readonly stuckAfterMs?: number;
}

/**
 * What streams and durable consumers there are, how far they are behind, and what is wrong with them. Changes nothing;
 * the user `observer` may do it. Throws `Unavailable`, or what the broker said, when it cannot be asked.
 */
export const inspectBus = async ({ internals }: Bus, options: InspectOptions = {}): Promise<BusReport> => {
  const { jsm, nc } = internals;
  const found = new Map<StreamName, StreamInfo>();
  const consumers: { readonly stream: StreamName; readonly info: ConsumerInfo }[] = [];
  for (const name of Object.values(streams)) {
    if ((await foundOrUndefined(jsm.streams.info(name))) === undefined) continue;
    for await (const consumer of jsm.consumers.list(name)) {
      if (consumer.config.durable_name !== undefined) consumers.push({ stream: name, info: consumer });
    }
    // After its consumers: what comes in between would make them look further than their stream.
    const info = await foundOrUndefined(jsm.streams.info(name));
    if (info !== undefined) found.set(name, info);
  }
  const notices = new Map(
    consumers.filter(({ stream }) => stream === streams.exhausted).map(({ info }) => [info.name, info]),
  );
  const reports = await Promise.all(
    consumers
      .filter(({ stream }) => stream !== streams.exhausted)
      .map(({ stream, info }) =>
        reportOf(jsm, stream, info, {
          lastSequence: found.get(stream)?.state.last_seq ?? 0,
          givenUp: waitingIn(notices.get(exhaustedConsumer(info.name))),
          patienceMs: options.stuckAfterMs ?? stuckAfterMs,
        }),
      ),
  );
  const missing = (options.expected ?? []).filter(
    (wanted) => !reports.some(({ stream, name }) => stream === wanted.stream && name === wanted.name),
  );
  return {
    server: {
      version: nc.info?.version ?? '',
      ...(nc.info?.cluster === undefined ? {} : { cluster: nc.info.cluster }),
    },
    streams: Object.values(streams).map((name) => streamReport(name, found.get(name))),
    consumers: [...reports, ...missing.map(missingConsumer)],
  };
};

const waitingIn = (info: ConsumerInfo | undefined): number =>
  info === undefined ? 0 : info.num_pending + info.num_ack_pending;

const reportOf = async (
  jsm: JetStreamManager,
  stream: StreamName,
  info: ConsumerInfo,
  { patienceMs, ...seen }: { lastSequence: number; givenUp: number; patienceMs: number },
): Promise<ConsumerReport> => {
  const stalledMs = await stalledMsOf(jsm, stream, info, seen.lastSequence);
  const problem = problemOf({ stream, info, stalledMs, ...seen }, patienceMs);
  return {
    stream,
    name: info.name,
    pending: info.num_pending,
    unacknowledged: info.num_ack_pending,
    redelivered: info.num_redelivered,
    readers: info.num_waiting,
    ackFloor: info.ack_floor.stream_seq,
    stalledMs,
    givenUp: seen.givenUp,
    ...(problem === undefined ? {} : { problem }),
  };
};

/** Age of the oldest message that the consumer has not settled, or of its last settlement if that is later. */
const stalledMsOf = async (
  jsm: JetStreamManager,
  stream: StreamName,
  info: ConsumerInfo,
  lastSequence: number,
): Promise<number> => {
  if (info.num_pending + info.num_ack_pending === 0 || info.ack_floor.stream_seq >= lastSequence) return 0;
  const [filter] = info.config.filter_subjects ?? [info.config.filter_subject ?? '>'];
  const oldest = await foundOrUndefined(
    jsm.direct.getMessage(stream, { seq: info.ack_floor.stream_seq + 1, next_by_subj: filter ?? '>' }),
  );
  if (!oldest) return 0;
  // The server tells the time of the last settlement in Go's form, which the client's types take for a number.
  const settled = Date.parse(String(info.ack_floor.last_active ?? ''));
  const since = Math.max(oldest.time.getTime(), Number.isNaN(settled) ? 0 : settled);
  return Math.max(0, Date.parse(String(info.ts)) - since);
};

const streamReport = (name: StreamName, info: StreamInfo | undefined): StreamReport => {
  if (info === undefined) return { name, problem: 'missing' };
  const { state, config, cluster } = info;
  const holes = state.num_deleted ?? 0;
  const replicas = cluster?.replicas ?? [];
  const current = 1 + replicas.filter((replica) => replica.current && (replica.lag ?? 0) === 0).length;
  const lost = name !== streams.steps && holes > 0;
  const behind = current < config.num_replicas;
  return {
    name,
    state: {
      messages: state.messages,
      bytes: state.bytes,
      firstSequence: state.first_seq,
      lastSequence: state.last_seq,
      holes,
      created: String(info.created),
    },
    replicas: {
      wanted: config.num_replicas,
      current,
      ...(cluster?.leader ? { leader: cluster.leader } : {}),
    },
    ...(lost ? { problem: 'lost_messages' as const } : {}),
    ...(!lost && behind ? { problem: 'replica_behind' as const } : {}),
  };
};

const missingConsumer = ({
  stream,
  name,
}: {
  readonly stream: StreamName;
  readonly name: string;
}): ConsumerReport => ({
  stream,
  name,
  pending: 0,
  unacknowledged: 0,
  redelivered: 0,
  readers: 0,
  ackFloor: 0,
  stalledMs: 0,
  givenUp: 0,
  problem: 'missing',
});
