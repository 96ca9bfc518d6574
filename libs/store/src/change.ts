import { Conflict, Invalid } from '@millrace/errors';
import { type IndexEntries, type Indexes, indexEntries } from './indexes.ts';
import { encodeDocument } from './json.ts';
import { checkKey } from './key.ts';
import { checkInboxPosition, type PreparedMessage, prepareMessages } from './messages.ts';
import type { Change, Decision, Durability, InboxPosition } from './port.ts';

/** A change that is checked and encoded, so that only the database can refuse it. */
export interface PreparedChange<T> {
  readonly key: string;
  readonly expected: number;
  readonly document: T | null;
  /** The document as JSON text; empty for a deletion. */
  readonly json: string;
  readonly entries: IndexEntries;
  readonly messages: readonly PreparedMessage[];
  readonly handled: InboxPosition | undefined;
}

const noEntries: IndexEntries = { fields: [], maps: [] };

/** Throws `Invalid` naming the field that is wrong. */
export const prepareChange = <T>(
  indexes: Indexes,
  change: { [Name in keyof Change<T>]: Change<T>[Name] | undefined },
): PreparedChange<T> => {
  const { document, expected, handled } = change;
  if (!Number.isSafeInteger(expected) || Number(expected) < 0) {
    throw Invalid.field('expected', 'must be a version, or 0');
  }
  return {
    key: checkKey(change.key),
    expected: Number(expected),
    document: document as T | null,
    json: document === null ? '' : encodeDocument(document),
    entries: document === null ? noEntries : indexEntries(indexes, document),
    messages: prepareMessages(change.messages),
    handled: handled === undefined ? undefined : checkInboxPosition(handled, 'handled'),
  };
};

/** Throws `Invalid` on a decision whose messages could get out, and it be forgotten. */
export const checkDurability = <T>({ messages = [] }: Decision<T>, durability: Durability): void => {
  if (durability === 'full' || messages.length === 0) return;
  throw Invalid.field('messages', 'need full durability');
};

/** The error of a commit over `expected` where version `found` is; 0 stands for no document. */
export const versionConflict = (
  collection: string,
  key: string,
  expected: number,
  found: number,
): Conflict => {
  const state = found === 0 ? 'does not exist' : `is at version ${found}`;
  const wanted = expected === 0 ? 'it should not exist' : `version ${expected} was expected`;
  return new Conflict(`${collection} "${key}" ${state}, ${wanted}`, {
    hint: 'Read it again, then decide.',
    details: { collection, key, found: String(found) },
  });
};

/** The error of a commit whose value at `field` another document has. */
export const uniqueConflict = (field: string, cause: unknown): Conflict =>
  new Conflict(`another document has this ${field}`, { cause, details: { field } });

/** The error of message `index`, whose entity's events are not caused by commits to `owner`. */
export const foreignEntity = (entity: string, owner: string, index: number): Invalid =>
  Invalid.field(
    `messages[${index}].entity`,
    `events of "${entity}" are caused by another document than "${owner}"`,
    { hint: 'Let commits to one and the same document cause all events of an entity.' },
  );
