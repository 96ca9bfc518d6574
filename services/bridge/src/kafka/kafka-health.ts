import { bridgeEvents } from '@millrace/contracts/bridge';
import { eventMessage } from '@millrace/service-kit';
import type { Logger } from '@millrace/telemetry';
import type { Journal } from './journal.ts';
import { kafkaMessageOf } from './kafka-client.ts';
import type { KafkaSettings } from './settings.ts';
import type { KafkaStatus } from './status.ts';
import type { Topics } from './topic-catalogue.ts';

export interface HealthDependencies {
  readonly settings: KafkaSettings;
  readonly status: KafkaStatus;
  readonly log: Logger;
}

/** Milliseconds without an answer after which Kafka counts as failed. */
const patienceMs = 5_000;

/** Tells others, once, that Kafka failed, and that it is well again. */
export class KafkaHealth {
  readonly #journal: Journal;
  readonly #deps: HealthDependencies;
  #closed = false;

  constructor(journal: Journal, deps: HealthDependencies) {
    this.#journal = journal;
    this.#deps = deps;
  }

  /** The term is over: what still happens is not for this one to tell. */
  close(): void {
    this.#closed = true;
  }

  async well(): Promise<void> {
    if (this.#closed) return;
    const { settings, status, log } = this.#deps;
    status.connected = true;
    status.failing = false;
    if (this.#journal.document.connected) return;
    log.info({ brokers: settings.brokers }, 'events are forwarded to Kafka');
    const data = { brokers: [...settings.brokers] };
    await this.#journal.write({ connected: true }, [
      eventMessage(bridgeEvents.kafkaConnected, settings.topicPrefix, data),
    ]);
  }

  /** The events wait; that this could not be told is of no matter. */
  async failed(error: string): Promise<void> {
    if (this.#closed) return;
    const { settings, status, log } = this.#deps;
    status.connected = false;
    status.failing = true;
    status.error(error);
    if (!this.#journal.document.connected) return;
    log.warn({ brokers: settings.brokers, error }, 'Kafka failed; events wait');
    const data = { brokers: [...settings.brokers], error };
    await this.#journal
      .write({ connected: false }, [eventMessage(bridgeEvents.kafkaFailed, settings.topicPrefix, data)])
      .catch((thrown: unknown) => log.debug({ err: thrown }, 'that Kafka failed was not told'));
  }

  /** While `work` takes long: says so, and makes topics that somebody deleted. */
  async watching(topics: Topics, work: () => Promise<void>): Promise<void> {
    const timer = setInterval(() => {
      if (this.#closed) return clearInterval(timer);
      const latest = this.#deps.status.errors[0]?.message ?? 'Kafka does not answer';
      void this.failed(latest);
      topics.ensure().catch((thrown: unknown) => this.#deps.status.error(kafkaMessageOf(thrown)));
    }, patienceMs);
    try {
      await work();
    } finally {
      clearInterval(timer);
    }
    await this.well();
  }
}
