import type { Db, Collection as MongoCollection } from 'mongodb';
import type { IndexEntries, IndexedValue, Indexes } from '../indexes.ts';
import type { InboxPosition } from '../port.ts';
import type { Field } from '../query.ts';

/** Layout of the records below; a store with a higher one was written by newer code. */
export const LAYOUT = 1;

/** Where the service's name is in a store that a restore has not completed. No service has this name. */
export const BEING_RESTORED = '(being restored)';

/** A message in its document, until it is sent. Numbers and texts only: what the user gave stays JSON text. */
export interface EmbeddedMessage {
  readonly position: number;
  readonly id: string;
  readonly subject: string;
  readonly type: string;
  /** Absent, as is `sequence`, for a command. */
  readonly entity?: string;
  readonly sequence?: number;
  readonly key: string;
  readonly time: string;
  readonly headers: string;
  readonly data: string;
}

/** A document, or what is left of a deleted one, with everything that is atomic with it. */
export interface DocumentRecord {
  /** The key. MongoDB orders texts by their bytes, which is by code point. */
  readonly _id: string;
  readonly version: number;
  /** JSON text, so that no key of it is ever read as a path or an operator; absent when deleted. */
  readonly document?: string;
  /** Values of the indexed paths; those that the document lacks are absent. */
  readonly fields?: Readonly<Record<string, IndexedValue>>;
  readonly maps?: Readonly<Record<string, Readonly<Record<string, IndexedValue>>>>;
  /** The entities whose events this document causes, and the last sequence given to each. */
  readonly entities?: readonly string[];
  readonly sequences?: readonly number[];
  readonly unsent?: readonly EmbeddedMessage[];
  /** Not above the position of any message in `unsent`; absent only when there is none. */
  readonly firstUnsent?: number;
  /** Positions that are not in the inbox's collection yet. */
  readonly handled?: readonly InboxPosition[];
  /** Counts the writes; one write may carry several commits. */
  readonly revision: number;
  /** Ids of the last writes, by which a writer that got no answer finds out whether its write took place. */
  readonly writes: readonly string[];
}

/** A message that was sent; `_id` is its position. */
export interface SentRecord extends Omit<EmbeddedMessage, 'position'> {
  readonly _id: number;
  readonly sentTime: string;
}

export interface InboxRecord {
  /** See `inboxId`. */
  readonly _id: string;
  readonly sequence: number;
}

export interface CollectionRecord {
  readonly _id: string;
  /** The indexes of its definition, as JSON text. */
  readonly indexes: string;
}

export interface MigrationRecord {
  readonly _id: number;
  readonly name: string;
  readonly time: string;
}

export interface MetaRecord {
  readonly _id: string;
  readonly service?: string;
  readonly layout?: number;
  readonly value?: number;
  readonly holder?: string;
  readonly beat?: number;
}

/** The collections of a store's database. */
export interface Tables {
  readonly db: Db;
  readonly meta: MongoCollection<MetaRecord>;
  readonly collections: MongoCollection<CollectionRecord>;
  readonly migrations: MongoCollection<MigrationRecord>;
  readonly outbox: MongoCollection<SentRecord>;
  readonly inbox: MongoCollection<InboxRecord>;
  documents(collection: string): MongoCollection<DocumentRecord>;
}

export const tablesOf = (db: Db): Tables => ({
  db,
  meta: db.collection('meta'),
  collections: db.collection('collections'),
  migrations: db.collection('migrations'),
  outbox: db.collection('outbox'),
  inbox: db.collection('inbox'),
  documents: (collection) => db.collection(`documents.${collection}`),
});

/** The collections that were ever opened, by whichever process. */
export const collectionNames = async ({ collections }: Tables): Promise<readonly string[]> =>
  (await collections.find({}, { projection: { _id: 1 } }).toArray()).map(({ _id }) => _id);

/** Neither part holds a control character. */
export const inboxId = (consumer: string, entity: string): string => `${consumer}\n${entity}`;

// A dot would make a path of it. Paths hold no colon.
const fieldName = (path: string): string => path.replaceAll('.', ':');

// A dot, a dollar or a NUL would be no name, nor would an empty one.
const entryName = (name: string): string =>
  `=${name.replace(/[%.$\0]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`)}`;

/** Where MongoDB finds the value of a searchable field. */
export const pathOf = (field: Field): string => {
  if (field.kind === 'key') return '_id';
  if (field.kind === 'field') return fieldPath(field.index.path);
  return `${mapPath(field.index.map)}.${entryName(field.name)}`;
};

export const fieldPath = (path: string): string => `fields.${fieldName(path)}`;
export const mapPath = (map: string): string => `maps.${fieldName(map)}`;

/** The value at a path of `pathOf`. */
export const valueAt = (record: DocumentRecord, path: string): IndexedValue | null => {
  let value: unknown = record;
  for (const name of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[name];
  return (value as IndexedValue | undefined) ?? null;
};

export const fieldsRecord = ({ fields }: Indexes, entries: IndexEntries): Record<string, IndexedValue> =>
  Object.fromEntries(
    fields.flatMap(({ path }, index) => {
      const value = entries.fields[index] ?? null;
      return value === null ? [] : [[fieldName(path), value]];
    }),
  );

export const mapsRecord = (
  { maps }: Indexes,
  entries: IndexEntries,
): Record<string, Record<string, IndexedValue>> =>
  Object.fromEntries(
    maps.map(({ map }, index) => [
      fieldName(map),
      Object.fromEntries([...(entries.maps[index] ?? [])].map(([name, value]) => [entryName(name), value])),
    ]),
  );
