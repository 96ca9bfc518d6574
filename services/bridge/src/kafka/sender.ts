import type { Kafka, Message, Producer, RecordMetadata } from 'kafkajs';
import { kafkaCodeOf } from './kafka-client.ts';
import type { KafkaRecord } from './kafka-record.ts';

/** A record whose partition is chosen. */
export interface PlacedRecord extends KafkaRecord {
  readonly partition: number;
}

/** What became of records of one partition. */
export interface Sent {
  readonly topic: string;
  readonly partition: number;
  /** One past the last of them. */
  readonly end: bigint;
}

export interface Sender {
  /** The partition of an entity. Throws when the topic is unknown. */
  partitionOf(topic: string, key: string): number;
  /**
   * Resolves when every in-sync replica has the records, with those that Kafka will never take left out and named.
   * Tries for ever while Kafka is away, each time with the same numbers of the idempotent producer, so that what
   * arrived unanswered does not arrive twice. When it throws, what was sent is unknown.
   */
  send(records: readonly PlacedRecord[]): Promise<{
    readonly sent: readonly Sent[];
    readonly refused: ReadonlyMap<PlacedRecord, string>;
  }>;
  close(): Promise<void>;
}

/** Connects an idempotent producer. Partitions are chosen as the Java client does. */
export const openSender = async (kafka: Kafka, partitions: () => Readonly<Record<string, number>>) => {
  const { Partitioners } = await import('kafkajs');
  const choose = Partitioners.DefaultPartitioner();
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: () => choose,
    retry: { retries: Number.MAX_SAFE_INTEGER },
  });
  await producer.connect();
  const sender: Sender = {
    partitionOf: (topic, key) => {
      const count = partitions()[topic];
      if (count === undefined) throw new Error(`topic ${topic} is not known`);
      const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
        partitionId,
        leader: 0,
      })) as unknown as Parameters<typeof choose>[0]['partitionMetadata'];
      return choose({ topic, partitionMetadata, message: { key, value: null } });
    },
    send: async (records) => {
      const refused = new Map<PlacedRecord, string>();
      const groups = Map.groupBy(records, ({ topic, partition }) => `${topic}/${partition}`);
      // A call per partition: within one, `kafkajs` could skip or repeat a part when leaders change hands meanwhile.
      const results = await Promise.allSettled(
        [...groups.values()].map((group) => sendGroup(producer, group, refused)),
      );
      const failure = results.find((result) => result.status === 'rejected');
      if (failure?.status === 'rejected') throw failure.reason;
      return {
        sent: results.flatMap((result) => (result.status === 'fulfilled' ? result.value : [])),
        refused,
      };
    },
    close: () => producer.disconnect(),
  };
  return sender;
};

/** Answers that say that nothing was stored and that no repetition will help. */
const refusals = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD']);

const sendGroup = async (
  producer: Producer,
  group: readonly PlacedRecord[],
  refused: Map<PlacedRecord, string>,
): Promise<readonly Sent[]> => {
  const [first] = group;
  if (first === undefined) return [];
  try {
    const [metadata] = await producer.send({
      topic: first.topic,
      acks: -1,
      messages: group.map(toMessage),
    });
    return [{ topic: first.topic, partition: first.partition, end: endOf(metadata, group.length) }];
  } catch (thrown) {
    const code = kafkaCodeOf(thrown);
    if (code === undefined || !refusals.has(code)) throw thrown;
    if (group.length === 1) {
      refused.set(first, code);
      return [];
    }
  }
  // Together they are refused; each alone shows which one is meant.
  const sent: Sent[] = [];
  for (const record of group) sent.push(...(await sendGroup(producer, [record], refused)));
  return sent;
};

const toMessage = ({ key, value, headers, partition }: PlacedRecord): Message => ({
  key,
  value,
  headers: { ...headers },
  partition,
});

const endOf = (metadata: RecordMetadata | undefined, count: number): bigint => {
  if (metadata?.baseOffset === undefined) throw new Error('Kafka acknowledged without an offset');
  return BigInt(metadata.baseOffset) + BigInt(count);
};
