import type { AnyBulkWriteOperation, IndexDescription, Collection as MongoCollection } from 'mongodb';
import { type Indexes, indexEntries } from '../indexes.ts';
import {
  type CollectionRecord,
  type DocumentRecord,
  fieldPath,
  fieldsRecord,
  mapPath,
  mapsRecord,
  type Tables,
} from './layout.ts';

/** Documents whose index values are made anew at once. */
const REINDEX_STEP = 200;

const UNIQUE = 'unique:';
/** Its name tells the error of an entity that another document owns from that of a value. */
export const ENTITIES_INDEX = 'entities';

/** The path whose value another document has, from the name of the index that refused it. */
export const uniquePath = (index: string): string | undefined =>
  index.startsWith(UNIQUE) ? index.slice(UNIQUE.length) : undefined;

/** What every collection of documents has. Sparse: most documents have nothing unsent and nothing to settle. */
const ownIndexes: readonly IndexDescription[] = [
  { name: 'first-unsent', key: { firstUnsent: 1 }, sparse: true },
  { name: 'handled', key: { 'handled.entity': 1 }, sparse: true },
  { name: ENTITIES_INDEX, key: { entities: 1 }, unique: true, sparse: true },
];

const declaredIndexes = ({ fields, maps }: Indexes): readonly IndexDescription[] => [
  ...fields.map(({ path }) => ({ name: `field:${path}`, key: { [fieldPath(path)]: 1, _id: 1 } as const })),
  ...fields
    .filter(({ unique }) => unique)
    .map(({ path }) => ({
      name: `${UNIQUE}${path}`,
      key: { [fieldPath(path)]: 1 } as const,
      unique: true,
      sparse: true,
    })),
  // One index for the entries of every name.
  ...maps.map(({ map }) => ({ name: `map:${map}`, key: { [`${mapPath(map)}.$**`]: 1 } as const })),
];

const reindexOperation = (
  indexes: Indexes,
  { _id, version, document = '' }: DocumentRecord,
): AnyBulkWriteOperation<DocumentRecord> => {
  const entries = indexEntries(indexes, JSON.parse(document));
  const values = { fields: fieldsRecord(indexes, entries), maps: mapsRecord(indexes, entries) };
  // A document that was committed meanwhile has the values of the new definition already.
  return { updateOne: { filter: { _id, version }, update: { $set: values } } };
};

const reindexDocuments = async (
  documents: MongoCollection<DocumentRecord>,
  indexes: Indexes,
): Promise<void> => {
  for (let after = ''; ; ) {
    const page = await documents
      .find({ _id: { $gt: after }, document: { $exists: true } }, { projection: { version: 1, document: 1 } })
      .sort({ _id: 1 })
      .limit(REINDEX_STEP)
      .toArray();
    const last = page.at(-1);
    if (last === undefined) return;
    await documents.bulkWrite(
      page.map((record) => reindexOperation(indexes, record)),
      { ordered: false },
    );
    after = last._id;
  }
};

const dropUndeclared = async (
  documents: MongoCollection<DocumentRecord>,
  wanted: readonly IndexDescription[],
): Promise<void> => {
  const names = new Set(['_id_', ...wanted.map(({ name }) => name)]);
  for (const { name } of await documents.listIndexes().toArray()) {
    if (!names.has(name)) await documents.dropIndex(name);
  }
};

const descriptionsOf = (indexes: Indexes): readonly IndexDescription[] => [
  ...ownIndexes,
  ...declaredIndexes(indexes),
];

/** Makes the indexes that a collection's record says it has: `prepareCollection` takes the record's word for it. */
export const createRecordedIndexes = async (
  tables: Tables,
  { _id: name, indexes }: CollectionRecord,
): Promise<void> => {
  await tables.documents(name).createIndexes([...descriptionsOf(JSON.parse(indexes) as Indexes)]);
};

/**
 * Makes the collection and its indexes, or brings them to those that are declared now. Safe to repeat, and to
 * run in several processes at once.
 */
export const prepareCollection = async (tables: Tables, name: string, indexes: Indexes): Promise<void> => {
  const wanted = JSON.stringify(indexes);
  const found = await tables.collections.findOne({ _id: name });
  if (found?.indexes === wanted) return;
  const documents = tables.documents(name);
  const descriptions = descriptionsOf(indexes);
  if (found !== null) {
    await dropUndeclared(documents, descriptions);
    await reindexDocuments(documents, indexes);
  }
  await documents.createIndexes([...descriptions]);
  await tables.collections.updateOne({ _id: name }, { $set: { indexes: wanted } }, { upsert: true });
};
