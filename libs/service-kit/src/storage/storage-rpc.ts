import type { DocumentState, StorageServiceService } from '@millrace/contracts/storage';
import { asMillraceError, ErrorCode, Invalid, Unavailable } from '@millrace/errors';
import type { Collection, DocumentStore, OutboxMessage } from '@millrace/store';
import type { RpcHandlers } from '../rpc-types.ts';
import type { CollectionInventory } from './collection-inventory.ts';
import { mentionsIn } from './mentions.ts';
import { type Retention, type StorageParts, workerJournals, workerRetention } from './retention.ts';

const pageDocuments = 200;
const pageMessages = 500;
const maxUnsent = 10_000;
const dayMs = 24 * 3_600_000;

/** Where a listing goes on: in a collection, or in the events after the last one. */
interface Position {
  readonly collection?: string;
  readonly cursor?: string;
  readonly afterEvent?: number;
}

export interface StorageRpcOptions extends StorageParts {
  readonly store: DocumentStore;
  readonly inventory: CollectionInventory;
}

type Periods = Readonly<Record<string, number>>;

/** Tells the collector of garbage what is in a service's store, and removes what it may. */
export const storageRpc = (options: StorageRpcOptions): RpcHandlers<typeof StorageServiceService> => {
  const { store, inventory } = options;
  const journals = new Set([...workerJournals, ...(options.journals ?? [])]);
  const rules = new Map(
    [...workerRetention, ...(options.retention ?? [])].map((rule) => [rule.collection, rule]),
  );
  /** Journals whose documents never expire need not be read. */
  const listed = () => [...inventory.keys()].filter((name) => rules.has(name) || !journals.has(name)).sort();

  const describe = (
    collection: string,
    { key, version, document }: Awaited<ReturnType<Collection<object>['find']>>['items'][number],
    periods: Periods,
  ): DocumentState => {
    const { references, hints } = journals.has(collection) ? nothing : mentionsIn(document);
    const expired = expiryOf(rules.get(collection), document, key, periods);
    return { collection, key, version, mentions: [...references], hints: [...hints], expired };
  };

  return {
    listDocuments: async ({ cursor, expireBefore, eventsSince }) => {
      const names = listed();
      const position: Position = cursor === '' ? {} : parsePosition(cursor);
      if (position.afterEvent !== undefined) return listEvents(store, eventsSince, position.afterEvent);
      const name = names.find((item) => item >= (position.collection ?? ''));
      const collection = name === undefined ? undefined : inventory.get(name);
      if (name === undefined || collection === undefined) return listUnsent(store);
      const isSame = name === position.collection && position.cursor !== undefined;
      const page = await collection.find({
        limit: pageDocuments,
        ...(isSame ? { cursor: position.cursor } : {}),
      });
      const following = names[names.indexOf(name) + 1];
      const next: Position =
        page.nextCursor !== undefined
          ? { collection: name, cursor: page.nextCursor }
          : { collection: following ?? afterAll };
      return {
        documents: page.items.map((item) => describe(name, item, expireBefore)).filter(isWorthTelling),
        nextCursor: JSON.stringify(next),
        examined: page.items.length,
      };
    },
    removeDocuments: async ({ documents }) => {
      const removed: DocumentState[] = [];
      for (const document of documents) {
        const rule = rules.get(document.collection);
        const collection = inventory.get(document.collection);
        if (rule === undefined || collection === undefined) {
          throw Invalid.field(
            'documents',
            `has one of ${document.collection}, whose documents do not expire`,
          );
        }
        if (await remove(collection, rule, document)) removed.push(document);
      }
      return { removed };
    },
    pruneEvents: async ({ before }) => ({ removed: await store.outbox.prune(before) }),
  };
};

const nothing = { references: new Set<string>(), hints: new Set<string>() };
/** Sorts after every name of a collection. */
const afterAll = '~';

const isWorthTelling = ({ mentions, hints, expired }: DocumentState): boolean =>
  mentions.length > 0 || hints.length > 0 || expired !== '';

const expiryOf = (rule: Retention | undefined, document: object, key: string, periods: Periods): string => {
  const ended = rule?.ended(document, key);
  const before = ended === undefined ? undefined : periods[ended.period];
  if (ended === undefined || before === undefined || !(ended.at < before)) return '';
  const days = Math.floor((before - ended.at) / dayMs);
  return `ended ${new Date(ended.at).toISOString()}, ${days} days longer ago than ${ended.period} are kept`;
};

/** Only in the version that was listed: whoever has begun to use the document again has changed it. */
const remove = async (
  collection: Collection<object>,
  rule: Retention,
  { key, version }: DocumentState,
): Promise<boolean> => {
  const current = await collection.get(key);
  if (current === undefined) return true;
  if (current.version !== version) return false;
  try {
    await collection.commit({ key, expected: version, document: null });
  } catch (thrown) {
    if (asMillraceError(thrown).code === ErrorCode.conflict) return false;
    throw thrown;
  }
  await rule.removeParts?.(key);
  return true;
};

/** What no consumer has seen refers to things that may stand nowhere else yet. */
const listUnsent = async ({ outbox }: DocumentStore) => {
  const unsent = await outbox.pending(maxUnsent);
  if (unsent.length === maxUnsent) {
    throw new Unavailable('too many events wait to be published', {
      hint: 'See whether the broker answers, then collect garbage again.',
    });
  }
  return page(unsent, { afterEvent: 0 });
};

const listEvents = async ({ outbox }: DocumentStore, since: string, after: number) => {
  const sent = await outbox.sentSince(since, after, pageMessages);
  const last = sent.at(-1);
  return page(sent, last === undefined ? undefined : { afterEvent: last.position });
};

const page = (messages: readonly OutboxMessage[], next: Position | undefined) => ({
  documents: messages.map(describeMessage).filter(isWorthTelling),
  nextCursor: next === undefined ? '' : JSON.stringify(next),
  examined: messages.length,
});

const describeMessage = ({ id, json }: OutboxMessage): DocumentState => {
  const { references, hints } = mentionsIn(JSON.parse(json));
  return {
    collection: 'events',
    key: id,
    version: 0,
    mentions: [...references],
    hints: [...hints],
    expired: '',
  };
};

const parsePosition = (cursor: string): Position => {
  try {
    return JSON.parse(cursor) as Position;
  } catch {
    throw Invalid.field('cursor', 'is not one that a page gave');
  }
};
