import type { InboxPort } from '@millrace/bus';
import { inSpan } from '@millrace/telemetry';
import { SpanKind } from '@opentelemetry/api';
import type { Waiting } from './batch-queue.ts';
import { type Journal, type JournalEntry, type Offsets, withForwarded } from './journal.ts';
import type { PlacedRecord, Sender } from './sender.ts';
import type { KafkaStatus } from './status.ts';

export interface BatchSenderOptions {
  readonly journal: Journal;
  readonly sender: Sender;
  readonly inbox: InboxPort;
  readonly consumer: string;
  readonly status: KafkaStatus;
  readonly now: () => number;
  /** Ends of all partitions when nothing of ours was on its way. */
  readonly ends: Offsets;
}

/** Sends batches one after another, each written down before and its positions recorded after. */
export class BatchSender {
  readonly #options: BatchSenderOptions;
  readonly #ends: Map<string, bigint>;

  constructor(options: BatchSenderOptions) {
    this.#options = options;
    this.#ends = new Map(
      Object.entries(options.ends).flatMap(([topic, partitions]) =>
        Object.entries(partitions).map(([partition, end]) => [`${topic}/${partition}`, BigInt(end)]),
      ),
    );
  }

  /**
   * Resolves when every event of the batch is in Kafka and its position recorded, or is refused for good; each is
   * settled then. When it throws nothing is settled, and the journal tells what may be in Kafka.
   */
  async forward(batch: readonly Waiting[], isLast: () => boolean): Promise<void> {
    const { journal, sender, inbox, consumer, status, now } = this.#options;
    const started = performance.now();
    const records = new Map<PlacedRecord, Waiting>(
      batch.map((waiting) => [this.#place(waiting), waiting] as const),
    );
    const entries = [...records].map(([record, waiting]) => entryOf(record, waiting));
    await journal.write({ entries, from: this.#from(entries) });
    const { sent, refused } = await sending(entries, () => sender.send([...records.keys()]));
    for (const { topic, partition, end } of sent) this.#advance(`${topic}/${partition}`, end);
    const inKafka = entries.filter((_, index) => !refused.has([...records.keys()][index] as PlacedRecord));
    await Promise.all(inKafka.map(({ entity, sequence }) => inbox.advance({ consumer, entity, sequence })));
    const totals = {
      topics: withForwarded(journal.document.topics, inKafka, new Date(now()).toISOString()),
      rejected: journal.document.rejected + refused.size,
    };
    journal.note({ entries: [], from: {}, ...totals });
    for (const [record, { settle }] of records) {
      const reason = refused.get(record);
      settle(reason === undefined ? { kind: 'done' } : { kind: 'reject', reason: `Kafka: ${reason}` });
    }
    status.rejected(refused.size);
    status.forwarded(countsOf(inKafka), (performance.now() - started) / 1000);
    // While more is waiting the next batch's entry carries the totals along.
    if (isLast()) await journal.write({});
  }

  #place({ record }: Waiting): PlacedRecord {
    return { ...record, partition: this.#options.sender.partitionOf(record.topic, record.key) };
  }

  #from(entries: readonly JournalEntry[]): Offsets {
    const from: Record<string, Record<number, string>> = {};
    for (const { topic, partition } of entries) {
      from[topic] ??= {};
      from[topic][partition] = String(this.#ends.get(`${topic}/${partition}`) ?? 0n);
    }
    return from;
  }

  /** A topic that was made anew begins from the start: its end may go back. */
  #advance(partition: string, end: bigint): void {
    this.#ends.set(partition, end);
  }
}

const entryOf = ({ topic, partition }: PlacedRecord, { event }: Waiting): JournalEntry => {
  const { id, type, entity, sequence } = event;
  return { id, type, entity, sequence, topic, partition };
};

const countsOf = (entries: readonly JournalEntry[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { topic } of entries) counts[topic] = (counts[topic] ?? 0) + 1;
  return counts;
};

/** A span for the batch, as OpenTelemetry's conventions for messaging have it. */
const sending = <T>(entries: readonly JournalEntry[], send: () => Promise<T>): Promise<T> => {
  const topics = [...new Set(entries.map(({ topic }) => topic))];
  const attributes = {
    'messaging.system.name': 'kafka',
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.batch.message_count': entries.length,
    ...(topics.length === 1 ? { 'messaging.destination.name': topics[0] as string } : {}),
  };
  const name = topics.length === 1 ? `send ${topics[0]}` : 'send';
  return inSpan(name, { kind: SpanKind.CLIENT, attributes }, send);
};
