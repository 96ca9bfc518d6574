import { setTimeout as sleep } from 'node:timers/promises';
import { Invalid } from '@millrace/errors';
import type { Admin } from 'kafkajs';
import type { Offsets } from './journal.ts';
import { kafkaCodeOf } from './kafka-client.ts';
import type { KafkaSettings } from './settings.ts';

/** Partitions of each topic. */
export type Partitions = Readonly<Record<string, number>>;

const createTimeoutMs = 15_000;
const leaderAttempts = 50;
const leaderPauseMs = 100;

/** Makes the topics that are missing, and says how many partitions each has. Throws while Kafka does not answer. */
export const ensureTopics = async (
  admin: Admin,
  topics: readonly string[],
  { partitions, replication }: Pick<KafkaSettings, 'partitions' | 'replication'>,
): Promise<Partitions> => {
  const existing = new Set(await admin.listTopics());
  const missing = topics.filter((topic) => !existing.has(topic));
  if (missing.length > 0) {
    await admin
      .createTopics({
        topics: missing.map((topic) => ({
          topic,
          numPartitions: partitions,
          replicationFactor: replication,
        })),
        waitForLeaders: true,
        timeout: createTimeoutMs,
      })
      .catch((thrown: unknown) => {
        throw refusalOf(thrown);
      });
    await leadersOf(admin, missing);
  }
  const { topics: found } = await admin.fetchTopicMetadata({ topics: [...topics] });
  return Object.fromEntries(found.map(({ name, partitions: of }) => [name, of.length]));
};

/** Waits until the brokers know of the topics that one of them has made. */
const leadersOf = async (admin: Admin, topics: readonly string[]): Promise<void> => {
  for (let attempts = 1; ; attempts += 1) {
    try {
      await boundsOf(admin, topics);
      return;
    } catch (thrown) {
      if (attempts === leaderAttempts) throw thrown;
      await sleep(leaderPauseMs);
    }
  }
};

/** Says what to do about the refusals that need somebody. */
const refusalOf = (thrown: unknown): unknown => {
  const errors = (thrown as { errors?: readonly unknown[] }).errors ?? [thrown];
  const code = errors.map(kafkaCodeOf).find((found) => found !== undefined);
  if (code === 'INVALID_REPLICATION_FACTOR') {
    return new Invalid('there are fewer brokers than MILLRACE_KAFKA_REPLICATION', { cause: thrown });
  }
  if (code === 'TOPIC_AUTHORIZATION_FAILED' || code === 'CLUSTER_AUTHORIZATION_FAILED') {
    return new Invalid('the bridge may not create topics; create them, or give its user the right', {
      cause: thrown,
    });
  }
  return thrown;
};

/** First and one past the last offset of every partition. */
export interface Bounds {
  readonly low: Offsets;
  readonly high: Offsets;
}

/** Where each partition of the topics begins and ends. */
export const boundsOf = async (admin: Admin, topics: Iterable<string>): Promise<Bounds> => {
  const low: Record<string, Record<number, string>> = {};
  const high: Record<string, Record<number, string>> = {};
  await Promise.all(
    [...topics].map(async (topic) => {
      const offsets = await admin.fetchTopicOffsets(topic);
      low[topic] = Object.fromEntries(offsets.map((each) => [each.partition, each.low]));
      high[topic] = Object.fromEntries(offsets.map((each) => [each.partition, each.high]));
    }),
  );
  return { low, high };
};
