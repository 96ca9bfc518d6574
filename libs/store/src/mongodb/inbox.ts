import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from '@millrace/errors';
import { FreshPositions } from '../fresh-positions.ts';
import { checkInboxPosition } from '../messages.ts';
import type { Inbox, InboxPosition } from '../port.ts';
import type { StoreLogger } from '../store-logger.ts';
import type { Connection } from './connection.ts';
import { collectionNames, inboxId, type Tables } from './layout.ts';

/** How long recorded positions wait to be moved together, milliseconds. */
const SETTLE_DELAY_MS = 250;

/** Positions that are looked up at once. */
const LARGEST_LOOKUP = 512;

/** Somebody who waits for a position. */
interface Asker {
  readonly of: Pick<InboxPosition, 'consumer' | 'entity'>;
  readonly resolve: (position: number) => void;
  readonly reject: (reason: unknown) => void;
}

/** A position, and the document that it was committed with. */
interface EmbeddedPosition {
  readonly collection: string;
  readonly key: string;
  readonly position: InboxPosition;
}

const idOf = ({ consumer, entity }: Pick<InboxPosition, 'consumer' | 'entity'>): string =>
  inboxId(consumer, entity);

/**
 * A position is committed with its document. From there it is moved to a collection of its own: first written
 * there, then taken from the document, so that it can always be found at one of the two.
 */
export class MongoInbox implements Inbox {
  readonly isShared = true;
  readonly #connection: Connection;
  readonly #logger: StoreLogger | undefined;
  /** Those to move, by where they are and whose they are. */
  readonly #embedded = new Map<string, EmbeddedPosition>();
  readonly #fresh = new FreshPositions();
  readonly #askers: Asker[] = [];
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #settling: Promise<void> = Promise.resolve();

  constructor(connection: Connection, logger: StoreLogger | undefined) {
    this.#connection = connection;
    this.#logger = logger;
  }

  /** A consumer of many entities asks for many at once: each look at the database answers all who asked before it. */
  position(consumer: string, entity: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#askers.push({ of: { consumer, entity }, resolve, reject });
      this.#looking ??= this.#lookUp();
    });
  }

  async advance(position: InboxPosition): Promise<void> {
    const checked = checkInboxPosition(position);
    if (this.#fresh.take(checked)) return;
    // Most handlers recorded the position with their effect; a read is cheaper than to write it again.
    const recorded = await this.position(checked.consumer, checked.entity);
    if (recorded < checked.sequence) await this.advanceAll([checked]);
  }

  async advanceSoon(positions: () => readonly InboxPosition[], withinMs: number): Promise<void> {
    await delay(withinMs);
    await this.advanceAll(positions().map((position) => checkInboxPosition(position)));
  }

  /** After the commit that recorded it. */
  committed(position: InboxPosition): void {
    this.#fresh.note(position);
  }

  async advanceAll(positions: readonly InboxPosition[]): Promise<void> {
    if (positions.length > 0) await this.#connection.run((tables) => advance(tables, positions));
  }

  /** By `inboxId`; absent where nothing was handled. Documents first: positions move from there to here. */
  async positions(
    of: readonly Pick<InboxPosition, 'consumer' | 'entity'>[],
  ): Promise<ReadonlyMap<string, number>> {
    const ids = [...new Set(of.map(idOf))];
    const entities = [...new Set(of.map(({ entity }) => entity))];
    return this.#connection.run(async (tables) => {
      const positions = new Map<string, number>();
      const note = (id: string, sequence: number): void => {
        positions.set(id, Math.max(positions.get(id) ?? 0, sequence));
      };
      const embedded = await embeddedPositions(tables, entities);
      for (const { position } of embedded) note(idOf(position), position.sequence);
      for (const { _id, sequence } of await tables.inbox.find({ _id: { $in: ids } }).toArray()) {
        note(_id, sequence);
      }
      // Those that a process left behind when it died are moved along.
      this.settleSoon(embedded);
      return positions;
    });
  }

  /** Takes positions that were committed with their documents, to move them soon. */
  settleSoon(embedded: readonly EmbeddedPosition[]): void {
    for (const item of embedded) {
      const place = `${item.collection}/${item.key}\n${idOf(item.position)}`;
      const known = this.#embedded.get(place);
      if ((known?.position.sequence ?? 0) < item.position.sequence) this.#embedded.set(place, item);
    }
    if (this.#embedded.size === 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#settling = this.#settle();
    }, SETTLE_DELAY_MS).unref();
  }

  async #lookUp(): Promise<void> {
    while (this.#askers.length > 0) {
      await nextTurn();
      const group = this.#askers.splice(0, LARGEST_LOOKUP);
      try {
        const positions = await this.positions(group.map(({ of }) => of));
        for (const { of, resolve } of group) resolve(positions.get(idOf(of)) ?? 0);
      } catch (thrown) {
        for (const { reject } of group) reject(thrown);
      }
    }
    this.#looking = undefined;
  }

  /** Moves what is left to move. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#settling;
    await this.#settle();
  }

  async #settle(): Promise<void> {
    const embedded = [...this.#embedded.values()];
    this.#embedded.clear();
    if (embedded.length === 0) return;
    try {
      await this.#connection.once(async (tables) => {
        await advance(
          tables,
          embedded.map(({ position }) => position),
        );
        await takeFromDocuments(tables, embedded);
      });
    } catch (thrown) {
      // They stay where they are found, until something is handled for their entity again.
      this.#logger?.warn({ error: messageOf(thrown) }, 'handled positions could not be moved to the inbox');
    }
  }
}

const advance = async ({ inbox }: Tables, positions: readonly InboxPosition[]): Promise<void> => {
  const latest = new Map<string, number>();
  for (const position of positions) {
    const id = idOf(position);
    latest.set(id, Math.max(latest.get(id) ?? 0, position.sequence));
  }
  await inbox.bulkWrite(
    [...latest].map(([_id, sequence]) => ({
      updateOne: { filter: { _id }, update: { $max: { sequence } }, upsert: true },
    })),
    { ordered: false },
  );
};

const embeddedPositions = async (
  tables: Tables,
  entities: readonly string[],
): Promise<readonly EmbeddedPosition[]> => {
  const found = await Promise.all(
    (await collectionNames(tables)).map(async (collection) => {
      const records = await tables
        .documents(collection)
        .find({ 'handled.entity': { $in: [...entities] } }, { projection: { handled: 1 } })
        .toArray();
      return records.flatMap(({ _id: key, handled = [] }) =>
        handled.map((position) => ({ collection, key, position })),
      );
    }),
  );
  return found.flat();
};

const takeFromDocuments = async (tables: Tables, embedded: readonly EmbeddedPosition[]): Promise<void> => {
  for (const [collection, positions] of Map.groupBy(embedded, (item) => item.collection)) {
    await tables.documents(collection).bulkWrite(
      positions.map(({ key, position: { consumer, entity, sequence } }) => ({
        updateOne: {
          filter: { _id: key },
          update: { $pull: { handled: { consumer, entity, sequence: { $lte: sequence } } } },
        },
      })),
      { ordered: false },
    );
  }
};
