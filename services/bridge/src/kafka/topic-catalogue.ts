import { allEvents } from '@millrace/contracts';
import type { Kafka } from 'kafkajs';
import type { Waiting } from './batch-queue.ts';
import { serviceOf, topicOf } from './kafka-record.ts';
import type { KafkaSettings } from './settings.ts';
import type { KafkaStatus } from './status.ts';
import { ensureTopics } from './topics.ts';

/** The topics of all services, and of those that a newer version may have. */
export class Topics {
  readonly #kafka: Kafka;
  readonly #settings: KafkaSettings;
  readonly #status: KafkaStatus;
  readonly #services = new Set([...allEvents.values()].map(({ service }) => service));

  constructor(kafka: Kafka, settings: KafkaSettings, status: KafkaStatus) {
    this.#kafka = kafka;
    this.#settings = settings;
    this.#status = status;
  }

  get names(): readonly string[] {
    return [...this.#services].map((service) => topicOf(this.#settings.topicPrefix, service));
  }

  /** Makes those that are missing. Each time with a new client: one that has seen a topic fails when it is deleted. */
  async ensure(): Promise<void> {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      this.#status.partitions = await ensureTopics(admin, this.names, this.#settings);
    } finally {
      await admin.disconnect();
    }
  }

  /** Makes the topics of services that this version does not know. */
  async know(batch: readonly Waiting[]): Promise<void> {
    const unknown = batch
      .map(({ event }) => serviceOf(event.entity))
      .filter((service) => !this.#services.has(service));
    if (unknown.length === 0) return;
    for (const service of unknown) this.#services.add(service);
    await this.ensure();
  }
}
