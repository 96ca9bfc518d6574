import { FreshPositions } from '../fresh-positions.ts';
import { checkInboxPosition } from '../messages.ts';
import type { Inbox, InboxPosition } from '../port.ts';
import type { Database } from './database.ts';
import type { GroupCommit } from './group-commit.ts';

export class SqliteInbox implements Inbox {
  /** A service on SQLite is one process. */
  readonly isShared = false;
  readonly #database: Database;
  readonly #writer: GroupCommit;
  readonly #fresh = new FreshPositions();

  constructor(database: Database, writer: GroupCommit) {
    this.#database = database;
    this.#writer = writer;
  }

  async position(consumer: string, entity: string): Promise<number> {
    return this.read(consumer, entity);
  }

  async advance(position: InboxPosition): Promise<void> {
    const checked = checkInboxPosition(position);
    // Most handlers recorded the position with their effect; a read is cheaper than to write it again.
    if (this.#fresh.take(checked) || this.includes(checked)) return;
    await this.#writer.run(() => this.record(checked), 'delayed');
  }

  async advanceSoon(positions: () => readonly InboxPosition[], withinMs: number): Promise<void> {
    await this.#writer.runSoon(() => {
      for (const position of positions()) this.record(checkInboxPosition(position));
    }, withinMs);
  }

  /** After the commit that recorded it. */
  committed(position: InboxPosition): void {
    this.#fresh.note(position);
  }

  read(consumer: string, entity: string): number {
    const row = this.#database.get<{ sequence: number }>(
      'SELECT sequence FROM inbox WHERE consumer = ? AND entity = ?',
      consumer,
      entity,
    );
    return row?.sequence ?? 0;
  }

  includes({ consumer, entity, sequence }: InboxPosition): boolean {
    return this.read(consumer, entity) >= sequence;
  }

  /** Within a transaction. */
  record({ consumer, entity, sequence }: InboxPosition): void {
    this.#database.run(
      `INSERT INTO inbox (consumer, entity, sequence) VALUES (?, ?, ?)
       ON CONFLICT (consumer, entity) DO UPDATE SET sequence = max(sequence, excluded.sequence)`,
      consumer,
      entity,
      sequence,
    );
  }
}
