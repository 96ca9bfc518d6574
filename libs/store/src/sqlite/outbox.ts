import { foreignEntity } from '../change.ts';
import { CommitListeners } from '../commit-listeners.ts';
import type { PreparedMessage } from '../messages.ts';
import type { Json, Outbox, OutboxMessage } from '../port.ts';
import { checkLimit } from '../query.ts';
import { checkTime } from '../time.ts';
import type { Database, Row } from './database.ts';
import type { GroupCommit } from './group-commit.ts';

const LARGEST_READ = 10_000;
/** Rows that one transaction prunes, so that others need not wait long. */
const PRUNE_STEP = 1000;

interface OutboxRow extends Row {
  readonly position: number;
  readonly id: string;
  readonly subject: string;
  readonly type: string;
  readonly entity: string | null;
  readonly key: string;
  readonly sequence: number;
  readonly time: string;
  readonly headers: string;
  readonly data: string;
}

const columns = 'position, id, subject, type, entity, key, sequence, time, headers, data';

const toMessage = ({ entity, headers, data, ...row }: OutboxRow): OutboxMessage => ({
  ...row,
  ...(entity === null ? {} : { entity }),
  headers: JSON.parse(headers) as Record<string, string>,
  data: JSON.parse(data) as Json,
});

export interface SqliteOutboxOptions {
  readonly database: Database;
  readonly writer: GroupCommit;
  readonly now: () => Date;
  readonly onListenerError: (thrown: unknown) => void;
}

export class SqliteOutbox implements Outbox {
  readonly #database: Database;
  readonly #writer: GroupCommit;
  readonly #now: () => Date;
  readonly #listeners: CommitListeners;
  #added = false;

  constructor({ database, writer, now, onListenerError }: SqliteOutboxOptions) {
    this.#database = database;
    this.#writer = writer;
    this.#now = now;
    this.#listeners = new CommitListeners(onListenerError);
  }

  /** Within a transaction: numbers the messages and adds them. `owner` names the document that causes them. */
  append(owner: string, messages: readonly PreparedMessage[]): void {
    if (messages.length === 0) return;
    const time = this.#now().toISOString();
    for (const [index, message] of messages.entries()) {
      this.#database.run(
        `INSERT INTO outbox (id, subject, type, entity, key, sequence, time, headers, data)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        message.id,
        message.subject,
        message.type,
        message.entity ?? null,
        message.key,
        message.entity === undefined ? 0 : this.#nextSequence(message.entity, owner, index),
        time,
        JSON.stringify(message.headers),
        message.dataJson,
      );
    }
    this.#added = true;
  }

  /** After a commit: tells the listeners when it added messages. */
  announce(): void {
    if (!this.#added) return;
    this.#added = false;
    this.#listeners.announce();
  }

  async pending(limit: number, except: ReadonlySet<number> = new Set()): Promise<readonly OutboxMessage[]> {
    checkLimit(limit, LARGEST_READ);
    return this.#database
      .all<OutboxRow>(
        `SELECT ${columns} FROM outbox
         WHERE sent_time IS NULL AND position NOT IN (SELECT value FROM json_each(?))
         ORDER BY position LIMIT ?`,
        JSON.stringify([...except]),
        limit,
      )
      .map(toMessage);
  }

  async markSent(positions: readonly number[]): Promise<void> {
    if (positions.length === 0) return;
    await this.#writer.run(() => {
      this.#database.run(
        `UPDATE outbox SET sent_time = ?
         WHERE position IN (SELECT value FROM json_each(?)) AND sent_time IS NULL`,
        this.#now().toISOString(),
        JSON.stringify(positions),
      );
    });
  }

  onCommit(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  async history(
    entity: string,
    after: number,
    upTo = Number.MAX_SAFE_INTEGER,
  ): Promise<readonly OutboxMessage[]> {
    return this.#database
      .all<OutboxRow>(
        `SELECT ${columns} FROM outbox WHERE entity = ? AND sequence > ? AND sequence <= ? ORDER BY sequence`,
        entity,
        after,
        upTo,
      )
      .map(toMessage);
  }

  async sentSince(time: string, afterPosition: number, limit: number): Promise<readonly OutboxMessage[]> {
    checkLimit(limit, LARGEST_READ);
    // The plus keeps the planner on the positions: by the index of times it would sort the rest for each page.
    return this.#database
      .all<OutboxRow>(
        `SELECT ${columns} FROM outbox WHERE position > ? AND +sent_time >= ? ORDER BY position LIMIT ?`,
        afterPosition,
        checkTime(time),
        limit,
      )
      .map(toMessage);
  }

  async prune(time: string): Promise<number> {
    const before = checkTime(time);
    for (let pruned = 0; ; ) {
      const step = await this.#writer.run(() => this.#pruneStep(before));
      pruned += step;
      if (step < PRUNE_STEP) return pruned;
    }
  }

  async stats(): Promise<{ readonly pending: number; readonly oldestPendingTime?: string }> {
    const { pending } = this.#database.get<{ pending: number }>(
      'SELECT count(*) AS pending FROM outbox WHERE sent_time IS NULL',
    ) ?? { pending: 0 };
    const oldest = this.#database.get<{ time: string }>(
      'SELECT time FROM outbox WHERE sent_time IS NULL ORDER BY position LIMIT 1',
    );
    return oldest === undefined ? { pending } : { pending, oldestPendingTime: oldest.time };
  }

  #nextSequence(entity: string, owner: string, index: number): number {
    const row = this.#database.write<{ sequence: number }>(
      `INSERT INTO entities (entity, owner, sequence) VALUES (?, ?, 1)
       ON CONFLICT (entity) DO UPDATE SET sequence = sequence + 1 WHERE owner = excluded.owner
       RETURNING sequence`,
      entity,
      owner,
    );
    if (row !== undefined) return row.sequence;
    throw foreignEntity(entity, owner, index);
  }

  #pruneStep(before: string): number {
    return this.#database.run(
      `DELETE FROM outbox WHERE position IN (SELECT position FROM outbox WHERE sent_time < ? LIMIT ${PRUNE_STEP})`,
      before,
    );
  }
}
