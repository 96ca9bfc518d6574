import { metrics, type ObservableResult } from '@opentelemetry/api';
import { type ConsumerProblem, type ConsumerSight, Progress, problemOf } from './consumer-health.ts';
import type { BusLogger } from './logger.ts';
import type { StreamName } from './topology.ts';

interface Seen {
  readonly stream: StreamName;
  readonly consumer: string;
  readonly pending: number;
  readonly unacknowledged: number;
  readonly redelivered: number;
  readonly problem: ConsumerProblem | undefined;
}

/** Consumers of this process, as they were seen last. */
const seen = new Map<object, Seen>();

let registered = false;

/** Once, and not when the module is loaded: the meter must be there by then. */
const register = (): void => {
  if (registered) return;
  registered = true;
  const meter = metrics.getMeter('@millrace/bus');
  const observe = (measure: (each: Seen) => number) => (result: ObservableResult) => {
    for (const each of seen.values()) {
      result.observe(measure(each), { stream: each.stream, consumer: each.consumer });
    }
  };
  meter
    .createObservableGauge('millrace.bus.consumer.pending', {
      description: 'Messages that were not delivered to the consumer yet.',
      unit: '{message}',
    })
    .addCallback(observe(({ pending }) => pending));
  meter
    .createObservableGauge('millrace.bus.consumer.unacknowledged', {
      description: 'Messages that were delivered to the consumer and not settled.',
      unit: '{message}',
    })
    .addCallback(observe(({ unacknowledged }) => unacknowledged));
  meter
    .createObservableGauge('millrace.bus.consumer.redelivered', {
      description: 'Unsettled messages that were delivered more than once.',
      unit: '{message}',
    })
    .addCallback(observe(({ redelivered }) => redelivered));
  meter
    .createObservableGauge('millrace.bus.consumer.stuck', {
      description: '1 while the consumer has messages and makes no progress, or is paused.',
    })
    .addCallback(observe(({ problem }) => (problem === undefined ? 0 : 1)));
};

/** Keeps the metrics of one consumer, and logs when it gets stuck and when it goes on. */
export const consumerReporter = (logger: BusLogger, stream: StreamName, consumer: string) => {
  register();
  const self = {};
  const progress = new Progress();
  let last: ConsumerProblem | undefined;
  return {
    see: (sight: Pick<ConsumerSight, 'stream' | 'info' | 'lastSequence'>): void => {
      const { info } = sight;
      const stalledMs = progress.stalledMs(info, performance.now());
      const problem = problemOf({ ...sight, stalledMs, givenUp: 0 });
      const counts = {
        pending: info.num_pending,
        unacknowledged: info.num_ack_pending,
        redelivered: info.num_redelivered,
      };
      seen.set(self, { stream, consumer, ...counts, problem });
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
