import { metrics } from '@opentelemetry/api';

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
  readonly #instruments = instruments(this);

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Newest first. */
  get errors(): readonly NotedError[] {
    return this.#errors;
  }

  /** Keeps an error; one that comes again and again is kept once, with its latest time. */
  error(message: string): void {
    this.#instruments.errors.add(1);
    const others = this.#errors.filter((other) => other.message !== message);
    this.#errors = [{ at: this.#now(), message }, ...others].slice(0, keptErrors);
  }

  forwarded(counts: Readonly<Record<string, number>>, seconds: number): void {
    let all = 0;
    for (const [topic, count] of Object.entries(counts)) {
      this.#instruments.forwarded.add(count, { 'messaging.destination.name': topic });
      all += count;
    }
    this.#instruments.batchSize.record(all);
    this.#instruments.batchDuration.record(seconds);
  }

  rejected(count: number): void {
    this.#instruments.rejected.add(count);
  }

  stop(): void {
    this.#instruments.stop();
  }
}

const instruments = (status: KafkaStatus) => {
  const meter = metrics.getMeter('@millrace/bridge');
  const lag = meter.createObservableGauge('millrace.kafka.lag', {
    unit: '{event}',
    description: 'Events on the bus that are not yet known to be in Kafka',
  });
  const connected = meter.createObservableGauge('millrace.kafka.connected', {
    description: '1 while Kafka answers the bridge that forwards',
  });
  const observeLag = (result: { observe(value: number): void }) => {
    if (status.holding) result.observe(status.lag);
  };
  const observeConnected = (result: { observe(value: number): void }) => {
    if (status.holding) result.observe(status.connected ? 1 : 0);
  };
  lag.addCallback(observeLag);
  connected.addCallback(observeConnected);
  return {
    forwarded: meter.createCounter('millrace.kafka.forwarded', {
      unit: '{event}',
      description: 'Events that Kafka has acknowledged',
    }),
    rejected: meter.createCounter('millrace.kafka.rejected', {
      unit: '{event}',
      description: 'Events that Kafka will never take; they are dead letters',
    }),
    errors: meter.createCounter('millrace.kafka.errors', {
      unit: '{error}',
      description: 'Errors on the way to Kafka, tried again or not',
    }),
    batchSize: meter.createHistogram('millrace.kafka.batch.size', {
      unit: '{event}',
      description: 'Events of a batch',
      advice: { explicitBucketBoundaries: [1, 2, 5, 10, 20, 50, 100, 200, 512] },
    }),
    batchDuration: meter.createHistogram('millrace.kafka.batch.duration', {
      unit: 's',
      description: 'Time from the journal of a batch to its recorded positions',
    }),
    stop: () => {
      lag.removeCallback(observeLag);
      connected.removeCallback(observeConnected);
    },
  };
};
