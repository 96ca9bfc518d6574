import { foreignEntity } from '../change.ts';
import { CommitListeners } from '../commit-listeners.ts';
import type { PreparedMessage } from '../messages.ts';
import type { Outbox, OutboxMessage } from '../port.ts';
import { checkLimit } from '../query.ts';
import { checkTime } from '../time.ts';
import type { Database, Row } from './database.ts';
import type { GroupCommit } from './group-commit.ts';
import { UnsentMessages } from './unsent-messages.ts';

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

const toMessage = (row: OutboxRow): OutboxMessage => ({
  position: row.position,
  id: row.id,
  subject: row.subject,
  type: row.type,
  ...(row.entity === null ? {} : { entity: row.entity }),
  key: row.key,
  sequence: row.sequence,
  time: row.time,
  headers: JSON.parse(row.headers) as Record<string, string>,
  json: row.data,
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
  readonly #unsent = new UnsentMessages();
  /** Differs once another connection has committed. */
  #dataVersion = Number.NaN;

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
      const { id, subject, type, entity, key, headers, dataJson: json } = message;
      const sequence = entity === undefined ? 0 : this.#nextSequence(entity, owner, index);
      const position = this.#database.insert(
        `INSERT INTO outbox (id, subject, type, entity, key, sequence, time, headers, data)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        subject,
        type,
        entity ?? null,
        key,
        sequence,
        time,
        JSON.stringify(headers),
        json,
      );
      const named = entity === undefined ? {} : { entity };
      this.#unsent.stage({ position, id, subject, type, ...named, key, sequence, time, headers, json });
    }
  }

  /** At the begin of each transaction. */
  begin(): void {
    this.#unsent.begin();
  }

  /** After a commit: tells the listeners when it added messages. */
  committed(): void {
    if (this.#unsent.commit()) this.#listeners.announce();
  }

  async pending(limit: number, except: ReadonlySet<number> = new Set()): Promise<readonly OutboxMessage[]> {
    checkLimit(limit, LARGEST_READ);
    return this.#knownUnsent(limit, except) ?? this.#readUnsent(limit, except);
  }

  /** From memory, unless another process may have written since it was read. */
  #knownUnsent(limit: number, except: ReadonlySet<number>): readonly OutboxMessage[] | undefined {
    const dataVersion = this.#database.get<{ data_version: number }>('PRAGMA data_version')?.data_version;
    if (dataVersion !== this.#dataVersion) this.#unsent.forget();
    this.#dataVersion = dataVersion ?? Number.NaN;
    const messages = this.#unsent.known?.values();
    return messages
      ?.filter(({ position }) => !except.has(position))
      .take(limit)
      .toArray();
  }

  #readUnsent(limit: number, except: ReadonlySet<number>): readonly OutboxMessage[] {
    const messages = this.#database
      .all<OutboxRow>(
        `SELECT ${columns} FROM outbox WHERE sent_time IS NULL ORDER BY position LIMIT ?`,
        limit + except.size,
      )
      .map(toMessage);
    // Fewer than were asked for are all.
    if (messages.length < limit + except.size) this.#unsent.learn(messages);
    return messages.filter(({ position }) => !except.has(position)).slice(0, limit);
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
    }, 'delayed');
    this.#unsent.remove(positions);
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
