import { count, observeMetric, record } from '@millrace/telemetry';

export interface NotedError {
  readonly at: number;
  readonly message: string;
}

const keptErrors = 20;

/** What this process sees of its way to Kafka, for `GetKafkaState`, health and metrics. */
export class KafkaStatus {
  /** Holds the lease. */
  holding = false;
  /** Sends are answered. */
  connected = false;
  /** The latest attempt to forward failed, and nobody else forwards. */
  failing = false;
  /** Partitions by topic. */
  partitions: Readonly<Record<string, number>> = {};
  /** Events on the bus that are not settled, as last asked. */
  lag = 0;
  #errors: NotedError[] = [];
  readonly #now: () => number;
  readonly #unobserve = observe(this);

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Newest first. */
  get errors(): readonly NotedError[] {
    return this.#errors;
  }

  /** Keeps an error; one that comes again and again is kept once, with its latest time. */
  error(message: string): void {
    count('millrace_kafka_errors_total', {});
    const others = this.#errors.filter((other) => other.message !== message);
    this.#errors = [{ at: this.#now(), message }, ...others].slice(0, keptErrors);
  }

  forwarded(counts: Readonly<Record<string, number>>, seconds: number): void {
    let all = 0;
    for (const [topic, events] of Object.entries(counts)) {
      count('millrace_kafka_forwarded_total', { topic }, events);
      all += events;
    }
    record('millrace_kafka_batch_size', all, {});
    record('millrace_kafka_batch_duration_seconds', seconds, {});
  }

  rejected(events: number): void {
    count('millrace_kafka_rejected_total', {}, events);
  }

  stop(): void {
    this.#unobserve();
  }
}

/** Only the bridge that holds the lease knows. */
const observe = (status: KafkaStatus): (() => void) => {
  const whileHolding = (value: () => number) => () =>
    status.holding ? [{ value: value(), labels: {} }] : [];
  const stops = [
    observeMetric(
      'millrace_kafka_lag',
      whileHolding(() => status.lag),
    ),
    observeMetric(
      'millrace_kafka_connected',
      whileHolding(() => (status.connected ? 1 : 0)),
    ),
  ];
  return () => {
    for (const stop of stops) stop();
  };
};
