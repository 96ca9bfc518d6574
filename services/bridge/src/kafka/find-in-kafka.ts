import type { Admin, Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { JournalEntry, Offsets } from './journal.ts';
import { boundsOf } from './topics.ts';

/** A stretch of a partition: `from` included, `to` not. */
interface Stretch {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** Milliseconds for reading one journal's stretches; then it is begun anew. */
const timeoutMs = 60_000;

/**
 * Which of the entries are in Kafka: reads their partitions from where they ended before the entries were sent.
 * A partition that ends before that place, or no longer has it, was made anew or cleaned, and is read from its start.
 * Throws while Kafka does not answer.
 */
export const findInKafka = async (
  kafka: Kafka,
  admin: Admin,
  entries: readonly JournalEntry[],
  from: Offsets,
  groupId: string,
): Promise<ReadonlySet<string>> => {
  const { low, high } = await boundsOf(admin, new Set(entries.map(({ topic }) => topic)));
  const stretches = new Map<string, Stretch>();
  for (const { topic, partition } of entries) {
    const first = BigInt(low[topic]?.[partition] ?? 0);
    const to = BigInt(high[topic]?.[partition] ?? 0);
    const recorded = BigInt(from[topic]?.[partition] ?? 0);
    const begin = recorded > to || recorded < first ? first : recorded;
    if (begin < to) stretches.set(`${topic}/${partition}`, { topic, partition, from: begin, to });
  }
  const wanted = new Set(entries.map(({ id }) => id));
  const found = new Set<string>();
  if (stretches.size > 0) {
    await readStretches(kafka, groupId, [...stretches.values()], (id) => {
      if (wanted.has(id)) found.add(id);
    });
    await admin.deleteGroups([groupId]).catch(() => {});
  }
  return found;
};

const readStretches = async (
  kafka: Kafka,
  groupId: string,
  stretches: readonly Stretch[],
  see: (id: string) => void,
): Promise<void> => {
  const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: 200 });
  await consumer.connect();
  try {
    await read(consumer, stretches, see);
  } finally {
    await consumer.disconnect();
  }
};

const read = async (
  consumer: Consumer,
  stretches: readonly Stretch[],
  see: (id: string) => void,
): Promise<void> => {
  const left = new Map(stretches.map((stretch) => [`${stretch.topic}/${stretch.partition}`, stretch]));
  const topics = [...new Set(stretches.map(({ topic }) => topic))];
  await consumer.subscribe({ topics, fromBeginning: false });
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('reading back from Kafka took too long')), timeoutMs);
    const end = (settle: () => void) => {
      clearTimeout(late);
      settle();
    };
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      // A group whose coordinator is still loading is joined again by the client itself.
      if (!payload.restart) end(() => reject(payload.error));
    });
    const eachBatch = async ({ batch, pause }: EachBatchPayload) => {
      const name = `${batch.topic}/${batch.partition}`;
      const stretch = left.get(name);
      // Partitions that nobody asked for, and what comes before the place that was sought.
      if (stretch === undefined) return void pause();
      if (BigInt(batch.lastOffset()) < stretch.from) return;
      for (const { offset, headers } of batch.messages) {
        if (BigInt(offset) >= stretch.from) see(String(headers?.ce_id ?? ''));
      }
      if (BigInt(batch.lastOffset()) + 1n < stretch.to) return;
      left.delete(name);
      if (left.size === 0) end(resolve);
    };
    consumer
      .run({ autoCommit: false, eachBatch })
      .then(() => {
        for (const { topic, partition, from } of stretches) {
          consumer.seek({ topic, partition, offset: String(from) });
        }
      })
      .catch((thrown: unknown) => end(() => reject(thrown)));
  });
};
