import type { AnyBulkWriteOperation, Collection as MongoCollection } from 'mongodb';
import {
  collectionNames,
  type DocumentRecord,
  type EmbeddedMessage,
  type SentRecord,
  type Tables,
} from './layout.ts';

type UnsentRecord = Pick<DocumentRecord, '_id' | 'version' | 'unsent' | 'firstUnsent'>;

/** Documents with messages that wait, and where they are. */
interface Waiting {
  readonly documents: MongoCollection<DocumentRecord>;
  readonly records: readonly UnsentRecord[];
}

const projection = { version: 1, unsent: 1, firstUnsent: 1 } as const;

const firstOf = (messages: readonly EmbeddedMessage[]): number | undefined =>
  messages.length === 0 ? undefined : Math.min(...messages.map(({ position }) => position));

const readWaiting = async (tables: Tables, upTo: number, limit: number): Promise<readonly Waiting[]> =>
  Promise.all(
    (await collectionNames(tables)).map(async (name) => {
      const documents = tables.documents(name);
      const records = await documents
        .find({ firstUnsent: { $gt: 0, $lte: upTo } }, { projection })
        .sort({ firstUnsent: 1 })
        .limit(limit)
        .toArray();
      return { documents, records };
    }),
  );

/** Takes messages from a document, and lets `firstUnsent` follow unless somebody committed meanwhile. */
const takeOperation = (
  { _id, version, unsent = [] }: UnsentRecord,
  taken: ReadonlySet<number>,
): AnyBulkWriteOperation<DocumentRecord> => {
  const first = firstOf(unsent.filter(({ position }) => !taken.has(position)));
  const positions = unsent.map(({ position }) => position).filter((position) => taken.has(position));
  return {
    updateOne: {
      filter: { _id, version },
      update: {
        ...(positions.length === 0 ? {} : { $pull: { unsent: { position: { $in: positions } } } }),
        ...(first === undefined ? { $unset: { firstUnsent: 1 } } : { $set: { firstUnsent: first } }),
      },
    },
  };
};

const nothing: ReadonlySet<number> = new Set();

/** Corrects what a mover that died or lost a race left too low. Returns whether there was any. */
const correctFirst = async (waiting: readonly Waiting[]): Promise<boolean> => {
  const corrected = await Promise.all(
    waiting.map(async ({ documents, records }) => {
      const stale = records.filter(({ unsent = [], firstUnsent }) => firstOf(unsent) !== firstUnsent);
      if (stale.length === 0) return false;
      await documents.bulkWrite(
        stale.map((record) => takeOperation(record, nothing)),
        { ordered: false },
      );
      return true;
    }),
  );
  return corrected.includes(true);
};

/** How often to look again after a correction; the commit that outran it makes the next one less likely. */
const MAX_CORRECTIONS = 5;

/** The first unsent messages, in order of their positions. */
export const readUnsent = async (tables: Tables, limit: number): Promise<readonly EmbeddedMessage[]> => {
  for (let corrections = 0; ; corrections += 1) {
    // Each of the first `limit` documents by their first message has at least one of the first `limit` messages.
    const waiting = await readWaiting(tables, Number.MAX_SAFE_INTEGER, limit);
    if ((await correctFirst(waiting)) && corrections < MAX_CORRECTIONS) continue;
    return waiting
      .flatMap(({ records }) => records.flatMap(({ unsent = [] }) => unsent))
      .sort((one, other) => one.position - other.position)
      .slice(0, limit);
  }
};

const keepSent = async (
  outbox: MongoCollection<SentRecord>,
  messages: readonly EmbeddedMessage[],
  sentTime: string,
): Promise<void> => {
  // Where somebody moved one before and did not come to take it from its document, the first time counts.
  await outbox.bulkWrite(
    messages.map(({ position, ...message }) => ({
      updateOne: {
        filter: { _id: position },
        update: { $setOnInsert: { ...message, sentTime } },
        upsert: true,
      },
    })),
    { ordered: false },
  );
};

const takeFrom = async ({ documents, records }: Waiting, positions: ReadonlySet<number>): Promise<void> => {
  if (records.length === 0) return;
  const { matchedCount } = await documents.bulkWrite(
    records.map((record) => takeOperation(record, positions)),
    { ordered: false },
  );
  if (matchedCount === records.length) return;
  // Of those that were committed to meanwhile, `firstUnsent` stays too low until `readUnsent` sees it.
  await documents.bulkWrite(
    records.map(({ _id }) => ({
      updateOne: {
        filter: { _id },
        update: { $pull: { unsent: { position: { $in: [...positions] } } } },
      },
    })),
    { ordered: false },
  );
};

/**
 * Moves messages to the outbox: first written there, then taken from their documents, so that a crash between
 * leaves them to be sent once more, and never lost. Positions that are not unsent do not matter.
 */
export const moveToOutbox = async (
  tables: Tables,
  positions: ReadonlySet<number>,
  sentTime: string,
): Promise<void> => {
  const everyOne = 0;
  const waiting = (await readWaiting(tables, Math.max(...positions), everyOne)).map(
    ({ documents, records }): Waiting => ({
      documents,
      records: records.filter(({ unsent = [] }) => unsent.some(({ position }) => positions.has(position))),
    }),
  );
  const messages = waiting
    .flatMap(({ records }) => records.flatMap(({ unsent = [] }) => unsent))
    .filter(({ position }) => positions.has(position));
  if (messages.length === 0) return;
  await keepSent(tables.outbox, messages, sentTime);
  await Promise.all(waiting.map((item) => takeFrom(item, positions)));
};
