import { Kafka, type KafkaMessage, logLevel } from 'kafkajs';

export type ReadRecord = Pick<KafkaMessage, 'key' | 'value' | 'headers' | 'offset'> & {
  readonly topic: string;
  readonly partition: number;
};

/** A header as text. */
export const headerOf = ({ headers }: Pick<KafkaMessage, 'headers'>, name: string): string =>
  String(headers?.[name] ?? '');

let groups = 0;

/** Everything that the topics with a prefix hold, read by a consumer of its own up to their ends of now. */
export const readTopics = async (broker: string, prefix: string): Promise<readonly ReadRecord[]> => {
  const kafka = new Kafka({
    clientId: 'reader',
    brokers: [broker],
    logLevel: logLevel.NOTHING,
    retry: { retries: 30, initialRetryTime: 100, maxRetryTime: 1_000 },
  });
  const admin = kafka.admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
  const left = new Map<string, bigint>();
  for (const topic of topics) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      if (BigInt(high) > BigInt(low)) left.set(`${topic}/${partition}`, BigInt(high));
    }
  }
  await admin.disconnect();
  if (left.size === 0) return [];
  groups += 1;
  const consumer = kafka.consumer({ groupId: `reader-${process.pid}-${groups}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  const records: ReadRecord[] = [];
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) reject(payload.error);
    });
    void consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const { topic, partition, messages } = batch;
        for (const message of messages) records.push({ ...message, topic, partition });
        const end = left.get(`${topic}/${partition}`);
        if (end !== undefined && BigInt(batch.lastOffset()) + 1n >= end) left.delete(`${topic}/${partition}`);
        if (left.size === 0) resolve();
      },
    });
  });
  await consumer.disconnect();
  return records;
};

export interface Census {
  readonly found: number;
  readonly missing: number;
  readonly doubled: number;
  /** Records that come after a later one of their entity. */
  readonly disordered: number;
}

/** Compares what is in Kafka with `entity#sequence` of what was published. */
export const censusOf = (records: readonly ReadRecord[], published: ReadonlySet<string>): Census => {
  const seen = new Set<string>();
  const last = new Map<string, number>();
  let doubled = 0;
  let disordered = 0;
  for (const record of records) {
    const entity = headerOf(record, 'ce_millraceentity');
    const sequence = Number(headerOf(record, 'ce_sequence'));
    const name = `${entity}#${sequence}`;
    if (!published.has(name)) continue;
    if (seen.has(name)) doubled += 1;
    else if (sequence <= (last.get(entity) ?? 0)) disordered += 1;
    seen.add(name);
    last.set(entity, Math.max(sequence, last.get(entity) ?? 0));
  }
  return { found: seen.size, missing: published.size - seen.size, doubled, disordered };
};
