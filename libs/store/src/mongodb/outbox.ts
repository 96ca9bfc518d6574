import { CommitListeners } from '../commit-listeners.ts';
import type { Outbox, OutboxMessage } from '../port.ts';
import { checkLimit } from '../query.ts';
import { checkTime } from '../time.ts';
import type { Connection } from './connection.ts';
import { collectionNames, type EmbeddedMessage, type SentRecord } from './layout.ts';
import { moveToOutbox, readUnsent } from './unsent.ts';

const LARGEST_READ = 10_000;
/** Messages that are forgotten at once, so that no single call takes long. */
const PRUNE_STEP = 1000;

const toMessage = ({
  sequence = 0,
  headers,
  data,
  position,
  id,
  subject,
  type,
  entity,
  key,
  time,
}: EmbeddedMessage): OutboxMessage => ({
  position,
  id,
  subject,
  type,
  ...(entity === undefined ? {} : { entity }),
  key,
  sequence,
  time,
  headers: JSON.parse(headers) as Record<string, string>,
  json: data,
});

const sentMessage = ({ _id, sentTime, ...message }: SentRecord): OutboxMessage =>
  toMessage({ ...message, position: _id });

export interface MongoOutboxOptions {
  readonly connection: Connection;
  readonly now: () => Date;
  readonly onListenerError: (thrown: unknown) => void;
}

/** Unsent messages are read from the documents that they wait in; sent ones have a collection of their own. */
export class MongoOutbox implements Outbox {
  readonly #connection: Connection;
  readonly #now: () => Date;
  readonly #listeners: CommitListeners;

  constructor({ connection, now, onListenerError }: MongoOutboxOptions) {
    this.#connection = connection;
    this.#now = now;
    this.#listeners = new CommitListeners(onListenerError);
  }

  /** After a commit that added messages. */
  announce(): void {
    this.#listeners.announce();
  }

  async pending(limit: number, except: ReadonlySet<number> = new Set()): Promise<readonly OutboxMessage[]> {
    checkLimit(limit, LARGEST_READ);
    const messages = await this.#connection.run((tables) => readUnsent(tables, limit + except.size));
    return messages
      .filter(({ position }) => !except.has(position))
      .slice(0, limit)
      .map(toMessage);
  }

  async markSent(positions: readonly number[]): Promise<void> {
    if (positions.length === 0) return;
    const time = this.#now().toISOString();
    await this.#connection.run((tables) => moveToOutbox(tables, new Set(positions), time));
  }

  onCommit(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  async history(
    entity: string,
    after: number,
    upTo = Number.MAX_SAFE_INTEGER,
  ): Promise<readonly OutboxMessage[]> {
    return this.#connection.run(async (tables) => {
      // The documents first: messages move from there to the outbox.
      const found = await Promise.all(
        (await collectionNames(tables)).map((name) =>
          tables
            .documents(name)
            .find({ entities: { $eq: entity } }, { projection: { unsent: 1 } })
            .toArray(),
        ),
      );
      const unsent = found
        .flat()
        .flatMap((record) => record.unsent ?? [])
        .filter((message) => message.entity === entity)
        .map(toMessage);
      const sent = await tables.outbox
        .find({ entity: { $eq: entity }, sequence: { $gt: after, $lte: upTo } })
        .toArray();
      const bySequence = new Map(
        [...sent.map(sentMessage), ...unsent].map((message) => [message.sequence, message]),
      );
      return [...bySequence.values()]
        .filter(({ sequence }) => sequence > after && sequence <= upTo)
        .sort((one, other) => one.sequence - other.sequence);
    });
  }

  async sentSince(time: string, afterPosition: number, limit: number): Promise<readonly OutboxMessage[]> {
    checkLimit(limit, LARGEST_READ);
    const sentTime = { $gte: checkTime(time) };
    const records = await this.#connection.run(({ outbox }) =>
      outbox
        .find({ _id: { $gt: afterPosition }, sentTime })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray(),
    );
    return records.map(sentMessage);
  }

  async prune(time: string): Promise<number> {
    const sentTime = { $lt: checkTime(time) };
    for (let pruned = 0; ; ) {
      const step = await this.#connection.run(async ({ outbox }) => {
        const due = await outbox
          .find({ sentTime }, { projection: { _id: 1 } })
          .limit(PRUNE_STEP)
          .toArray();
        if (due.length > 0) await outbox.deleteMany({ _id: { $in: due.map(({ _id }) => _id) } });
        return due.length;
      });
      pruned += step;
      if (step < PRUNE_STEP) return pruned;
    }
  }

  async stats(): Promise<{ readonly pending: number; readonly oldestPendingTime?: string }> {
    const counts = await this.#connection.run(async (tables) =>
      Promise.all(
        (await collectionNames(tables)).map((name) =>
          tables
            .documents(name)
            .aggregate<{ pending: number }>([
              { $match: { firstUnsent: { $gt: 0 } } },
              { $group: { _id: null, pending: { $sum: { $size: '$unsent' } } } },
            ])
            .toArray(),
        ),
      ),
    );
    const pending = counts.flat().reduce((sum, count) => sum + count.pending, 0);
    const [oldest] = await this.pending(1);
    return oldest === undefined ? { pending } : { pending, oldestPendingTime: oldest.time };
  }
}
