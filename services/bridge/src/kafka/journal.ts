import { Conflict } from '@millrace/errors';
import type { Collection, DocumentStore, NewMessage, Stored } from '@millrace/store';

/** An event of the batch that may be on its way. */
export interface JournalEntry {
  /** CloudEvents id: what it is recognised by in Kafka. */
  readonly id: string;
  readonly type: string;
  readonly entity: string;
  readonly sequence: number;
  readonly topic: string;
  readonly partition: number;
}

/** Offsets by topic and partition, as decimal text. */
export type Offsets = Readonly<Record<string, Readonly<Record<number, string>>>>;

/** What is known to be in a topic. */
export interface TopicTotals {
  readonly forwarded: number;
  readonly lastEventId: string;
  readonly lastEventType: string;
  /** ISO 8601 */
  readonly lastForwardedAt: string;
}

export interface JournalDocument {
  /** Of the lease under which it was last written. */
  readonly epoch: number;
  /** What may be in Kafka although it does not count as handled. */
  readonly entries: readonly JournalEntry[];
  /** Ends of the entries' partitions before they were sent: what is in Kafka of them lies from here on. */
  readonly from: Offsets;
  readonly topics: Readonly<Record<string, TopicTotals>>;
  readonly rejected: number;
  /** Whether `KafkaConnected` was told last, and not `KafkaFailed`. */
  readonly connected: boolean;
}

const key = 'kafka';
const empty: JournalDocument = {
  epoch: 0,
  entries: [],
  from: {},
  topics: {},
  rejected: 0,
  connected: false,
};

/** The journal's collection in a bridge's store. */
export const journalCollection = (store: DocumentStore): Collection<JournalDocument> =>
  store.collection<JournalDocument>({ name: 'kafka_journal' });

export const readJournal = async (journals: Collection<JournalDocument>): Promise<JournalDocument> =>
  (await journals.get(key))?.document ?? empty;

/**
 * The journal in the hands of one holder of the lease. Each write demands that nobody else wrote since: a later
 * holder claims it first, and from then on the earlier one cannot begin a batch.
 */
export class Journal {
  readonly #journals: Collection<JournalDocument>;
  #version: number;
  #document: JournalDocument;
  #writing: Promise<void> = Promise.resolve();

  private constructor(journals: Collection<JournalDocument>, version: number, document: JournalDocument) {
    this.#journals = journals;
    this.#version = version;
    this.#document = document;
  }

  /** Takes the journal over. Throws `Conflict` when somebody with a higher epoch was faster. */
  static async claim(journals: Collection<JournalDocument>, epoch: number): Promise<Journal> {
    for (;;) {
      const current: Stored<JournalDocument> | undefined = await journals.get(key);
      if ((current?.document.epoch ?? 0) > epoch)
        throw new Conflict('the journal belongs to a later holder of the lease');
      const journal = new Journal(journals, current?.version ?? 0, current?.document ?? empty);
      try {
        await journal.write({ epoch });
        return journal;
      } catch (thrown) {
        // The holder before may have begun one more batch meanwhile.
        if (!(thrown instanceof Conflict)) throw thrown;
      }
    }
  }

  get document(): JournalDocument {
    return this.#document;
  }

  /** Changes what the next `write` will store; until then a crash forgets it. */
  note(change: Partial<JournalDocument>): void {
    this.#document = { ...this.#document, ...change };
  }

  /** Durable when it resolves. Throws `Conflict` when the lease has passed on, `Unavailable` like the store. */
  write(change: Partial<JournalDocument>, messages: readonly NewMessage[] = []): Promise<void> {
    const written = this.#writing.then(async () => {
      const document = { ...this.#document, ...change };
      await this.#journals.commit({ key, expected: this.#version, document, messages });
      this.#version += 1;
      this.#document = document;
    });
    this.#writing = written.catch(() => {});
    return written;
  }
}

/** Totals after these entries were found to be in Kafka. */
export const withForwarded = (
  topics: JournalDocument['topics'],
  entries: readonly JournalEntry[],
  at: string,
): JournalDocument['topics'] => {
  const result: Record<string, TopicTotals> = { ...topics };
  for (const { topic, id, type } of entries) {
    const forwarded = (result[topic]?.forwarded ?? 0) + 1;
    result[topic] = { forwarded, lastEventId: id, lastEventType: type, lastForwardedAt: at };
  }
  return result;
};
