import type { IndexEntries } from '../indexes.ts';
import type { DocumentState } from './document-state.ts';
import type { DocumentRecord, Tables } from './layout.ts';

/** A document as a group of commits finds it, deleted ones included. */
export interface FoundDocument {
  readonly state: DocumentState;
  readonly revision: number;
  readonly writes: readonly string[];
}

const noEntries: IndexEntries = { fields: [], maps: [] };

const toFound = (
  collection: string,
  key: string,
  { version, document, entities = [], sequences = [], revision, writes }: Omit<DocumentRecord, '_id'>,
): FoundDocument => ({
  state: {
    collection,
    key,
    version,
    json: document,
    entries: noEntries,
    entities: new Map(entities.map((entity, index) => [entity, sequences[index] ?? 0])),
    messages: [],
    handled: [],
  },
  revision,
  writes,
});

const projection = { version: 1, document: 1, entities: 1, sequences: 1, revision: 1, writes: 1 } as const;

/** By key; a document that never was counts as one at version 0. */
export const readDocuments = async (
  tables: Tables,
  collection: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, FoundDocument>> => {
  const records = await tables
    .documents(collection)
    .find({ _id: { $in: [...keys] } }, { projection })
    .toArray();
  const byKey = new Map(records.map((record) => [record._id, record]));
  return new Map(
    keys.map((key) => [
      key,
      toFound(collection, key, byKey.get(key) ?? { version: 0, revision: 0, writes: [] }),
    ]),
  );
};
