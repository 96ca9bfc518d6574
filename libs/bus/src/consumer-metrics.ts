import { type GaugeName, observeMetric } from '@millrace/telemetry';
import type { StreamInfo } from '@nats-io/jetstream';
import { type ConsumerProblem, type ConsumerSight, Progress, problemOf } from './consumer-health.ts';
import type { BusLogger } from './logger.ts';
import { type StreamName, streams } from './topology.ts';

interface Seen {
  readonly stream: StreamName;
  readonly consumer: string;
  readonly pending: number;
  readonly unacknowledged: number;
  readonly redelivered: number;
  readonly stalledMs: number;
  readonly problem: ConsumerProblem | undefined;
}

/** Consumers of this process, as they were seen last. */
const seen = new Map<object, Seen>();
/** Streams of these consumers, as they were seen last. */
const seenStreams = new Map<StreamName, StreamInfo['state']>();

const consumerMetrics: Readonly<
  Record<Extract<GaugeName, `millrace_bus_consumer_${string}`>, (each: Seen) => number>
> = {
  millrace_bus_consumer_pending: ({ pending }) => pending,
  millrace_bus_consumer_unacknowledged: ({ unacknowledged }) => unacknowledged,
  millrace_bus_consumer_redelivered: ({ redelivered }) => redelivered,
  millrace_bus_consumer_stalled_seconds: ({ stalledMs }) => stalledMs / 1000,
  millrace_bus_consumer_stuck: ({ problem }) => (problem === undefined ? 0 : 1),
};

const streamMetrics = {
  millrace_bus_stream_messages: (_: StreamName, { messages }: StreamInfo['state']) => messages,
  millrace_bus_stream_size_bytes: (_: StreamName, { bytes }: StreamInfo['state']) => bytes,
  millrace_bus_stream_lost_messages: (stream: StreamName, { num_deleted: holes = 0 }: StreamInfo['state']) =>
    stream === streams.steps ? 0 : holes,
} as const;

let observed = false;

const observe = (): void => {
  if (observed) return;
  observed = true;
  for (const [name, measure] of Object.entries(consumerMetrics)) {
    observeMetric(name as keyof typeof consumerMetrics, () =>
      [...seen.values()].map((each) => ({
        value: measure(each),
        labels: { stream: each.stream, consumer: each.consumer },
      })),
    );
  }
  for (const [name, measure] of Object.entries(streamMetrics)) {
    observeMetric(name as keyof typeof streamMetrics, () =>
      [...seenStreams].map(([stream, state]) => ({ value: measure(stream, state), labels: { stream } })),
    );
  }
};

/** Keeps the metrics of one consumer, and logs when it gets stuck and when it goes on. */
export const consumerReporter = (logger: BusLogger, stream: StreamName, consumer: string) => {
  observe();
  const self = {};
  const progress = new Progress();
  let last: ConsumerProblem | undefined;
  return {
    see: (
      sight: Pick<ConsumerSight, 'stream' | 'info' | 'lastSequence'>,
      state: StreamInfo['state'],
    ): void => {
      seenStreams.set(stream, state);
      const { info } = sight;
      const stalledMs = progress.stalledMs(info, performance.now());
      const problem = problemOf({ ...sight, stalledMs, givenUp: 0 });
      const counts = {
        pending: info.num_pending,
        unacknowledged: info.num_ack_pending,
        redelivered: info.num_redelivered,
      };
      seen.set(self, { stream, consumer, ...counts, stalledMs, problem });
      const fields = { stream, consumer, ...counts, stalledMs };
      if (problem !== undefined && problem !== last)
        logger.error({ ...fields, problem }, 'a consumer is stuck');
      if (problem === undefined && last !== undefined) logger.info(fields, 'a consumer goes on');
      last = problem;
    },
    end: (): void => {
      seen.delete(self);
    },
  };
};
