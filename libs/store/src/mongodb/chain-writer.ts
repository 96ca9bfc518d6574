import { type MillraceError, messageOf } from '@millrace/errors';
import { type AnyBulkWriteOperation, MongoBulkWriteError, type WriteError } from 'mongodb';
import { foreignEntity, uniqueConflict } from '../change.ts';
import { ENTITIES_INDEX, uniquePath } from './collection-schema.ts';
import { type Chain, placeOf } from './commit-request.ts';
import type { NumberedMessage } from './document-state.ts';
import {
  type DocumentRecord,
  type EmbeddedMessage,
  fieldsRecord,
  mapsRecord,
  type Tables,
} from './layout.ts';
import {
  duplicateIndex,
  fromMongo,
  isComplete,
  isTransient,
  NoAnswer,
  writeErrorsOf,
} from './mongo-error.ts';

/** How many of the last writes a document remembers. */
export const WRITES_KEPT = 8;

/** A chain with what its write needs of the store: positions for its messages, an id, the time. */
export interface PreparedWrite {
  readonly chain: Chain;
  readonly id: string;
  readonly firstPosition: number;
  readonly time: string;
}

export type WriteOutcome =
  | { readonly status: 'written' }
  /** Somebody else had committed to the document. */
  | { readonly status: 'lost' }
  | { readonly status: 'refused'; readonly error: MillraceError }
  /** No answer came: only another look at the document tells. */
  | { readonly status: 'unknown'; readonly error: unknown };

const written: WriteOutcome = { status: 'written' };

const embedded = (message: NumberedMessage, position: number, time: string): EmbeddedMessage => ({
  position,
  id: message.id,
  subject: message.subject,
  type: message.type,
  ...(message.entity === undefined ? {} : { entity: message.entity, sequence: message.sequence }),
  key: message.key,
  time,
  headers: JSON.stringify(message.headers),
  data: message.dataJson,
});

const additions = ({ chain: { state }, firstPosition, time }: PreparedWrite): object => {
  const unsent = state.messages.map((message, index) => embedded(message, firstPosition + index, time));
  const push = {
    ...(unsent.length === 0 ? {} : { unsent: { $each: unsent } }),
    ...(state.handled.length === 0 ? {} : { handled: { $each: state.handled } }),
  };
  return {
    ...(Object.keys(push).length === 0 ? {} : { $push: push }),
    ...(unsent.length === 0 ? {} : { $min: { firstUnsent: firstPosition } }),
  };
};

/**
 * Writes over the version that was read, or makes the first one. When the version is another, MongoDB tries to
 * insert, and the key refuses: so each operation of a bulk write tells whether it took place.
 */
const operationOf = (write: PreparedWrite): AnyBulkWriteOperation<DocumentRecord> => {
  const { key, indexes, base, baseRevision, baseWrites, state } = write.chain;
  const { version, json, entries } = state;
  const body =
    json === undefined
      ? {}
      : { document: json, fields: fieldsRecord(indexes, entries), maps: mapsRecord(indexes, entries) };
  return {
    updateOne: {
      filter: { _id: key, version: base.version },
      update: {
        $set: {
          version,
          revision: baseRevision + 1,
          writes: [...baseWrites, write.id].slice(-WRITES_KEPT),
          ...body,
          ...(state.entities.size === 0
            ? {}
            : { entities: [...state.entities.keys()], sequences: [...state.entities.values()] }),
        },
        ...(json === undefined ? { $unset: { document: 1, fields: 1, maps: 1 } } : {}),
        ...additions(write),
      },
      upsert: true,
    },
  };
};

const entityError = ({ base, state, collection, key }: Chain, message: string): MillraceError => {
  const added = state.messages.map(({ entity }) => entity);
  const isNew = (entity: string | undefined): boolean => entity !== undefined && !base.entities.has(entity);
  const named = added.findIndex((entity) => isNew(entity) && message.includes(entity ?? ''));
  const index = named === -1 ? added.findIndex(isNew) : named;
  return foreignEntity(added[index] ?? '', placeOf({ collection, key }), index);
};

const outcomeOfError = (chain: Chain, error: WriteError): WriteOutcome => {
  const index = duplicateIndex(error);
  if (index === undefined) {
    return isTransient(error) ? { status: 'unknown', error } : { status: 'refused', error: fromMongo(error) };
  }
  if (index === ENTITIES_INDEX) {
    return { status: 'refused', error: entityError(chain, messageOf(error.errmsg)) };
  }
  const path = uniquePath(index);
  return path === undefined ? { status: 'lost' } : { status: 'refused', error: uniqueConflict(path, error) };
};

const outcomesOfFailure = (
  writes: readonly PreparedWrite[],
  failure: unknown,
): readonly WriteOutcome[] | undefined => {
  if (failure instanceof MongoBulkWriteError) {
    const errors = new Map(writeErrorsOf(failure).map((error) => [error.index, error]));
    const others: WriteOutcome = isComplete(failure, writes.length)
      ? written
      : { status: 'unknown', error: failure };
    return writes.map(({ chain }, index) => {
      const error = errors.get(index);
      return error === undefined ? others : outcomeOfError(chain, error);
    });
  }
  if (isTransient(failure)) return writes.map(() => ({ status: 'unknown', error: failure }));
  if (writes.length === 1) return [{ status: 'refused', error: fromMongo(failure) }];
  return undefined;
};

const writeToCollection = async (
  tables: Tables,
  collection: string,
  writes: readonly PreparedWrite[],
): Promise<readonly WriteOutcome[]> => {
  try {
    const operations = writes.map(operationOf);
    const result = await tables.documents(collection).bulkWrite(operations, { ordered: false });
    const answered = result.matchedCount + result.upsertedCount === writes.length;
    return writes.map(() => (answered ? written : { status: 'unknown', error: new NoAnswer('incomplete') }));
  } catch (thrown) {
    const outcomes = outcomesOfFailure(writes, thrown);
    if (outcomes !== undefined) return outcomes;
    // The driver refused the whole for one of them: each by itself shows which.
    const single = writes.map((write) => writeToCollection(tables, collection, [write]));
    return (await Promise.all(single)).flat();
  }
};

/** Writes the chains, each atomically and independently of the others; never throws. */
export const writeChains = async (
  tables: Tables,
  writes: readonly PreparedWrite[],
): Promise<ReadonlyMap<Chain, WriteOutcome>> => {
  const byCollection = Map.groupBy(writes, ({ chain }) => chain.collection);
  const outcomes = await Promise.all(
    [...byCollection].map(async ([collection, group]) => {
      const results = await writeToCollection(tables, collection, group);
      return group.map(({ chain }, index): [Chain, WriteOutcome] => [chain, results[index] ?? written]);
    }),
  );
  return new Map(outcomes.flat());
};
