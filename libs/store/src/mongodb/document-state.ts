import { type PreparedChange, versionConflict } from '../change.ts';
import type { IndexEntries } from '../indexes.ts';
import type { PreparedMessage } from '../messages.ts';
import type { CommitResult, InboxPosition } from '../port.ts';

/** A message with its number, not yet with its position. */
export interface NumberedMessage extends PreparedMessage {
  /** 0 for a command. */
  readonly sequence: number;
}

/**
 * A document as it was read, and what the commits of a group have made of it since. Immutable, so that a commit
 * that is refused half-way leaves nothing behind.
 */
export interface DocumentState {
  readonly collection: string;
  readonly key: string;
  readonly version: number;
  /** JSON text; `undefined` when there is no document. */
  readonly json: string | undefined;
  readonly entries: IndexEntries;
  readonly entities: ReadonlyMap<string, number>;
  /** Added since the document was read. */
  readonly messages: readonly NumberedMessage[];
  /** Recorded since the document was read. */
  readonly handled: readonly InboxPosition[];
}

const numbered = (
  state: DocumentState,
  messages: readonly PreparedMessage[],
): Pick<DocumentState, 'entities' | 'messages'> => {
  const entities = new Map(state.entities);
  const added = messages.map((message): NumberedMessage => {
    if (message.entity === undefined) return { ...message, sequence: 0 };
    const sequence = (entities.get(message.entity) ?? 0) + 1;
    entities.set(message.entity, sequence);
    return { ...message, sequence };
  });
  return { entities, messages: [...state.messages, ...added] };
};

export interface Applied<T> {
  readonly state: DocumentState;
  readonly result: CommitResult<T>;
}

/** Commits a change to the state. Throws `Conflict` when its version does not fit. */
export const applyChange = <T>(state: DocumentState, change: PreparedChange<T>): Applied<T> => {
  const { key, expected, document, handled } = change;
  const found = state.json === undefined ? 0 : state.version;
  if (found !== expected) throw versionConflict(state.collection, key, expected, found);
  const version = state.version + 1;
  return {
    state: {
      ...state,
      version,
      json: document === null ? undefined : change.json,
      entries: change.entries,
      ...numbered(state, change.messages),
      handled: handled === undefined ? state.handled : [...state.handled, handled],
    },
    result: { status: 'committed', stored: document === null ? undefined : { key, version, document } },
  };
};
