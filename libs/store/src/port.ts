/**
 * The port of DESIGN section 6. An adapter keeps named collections of versioned JSON documents, an outbox and
 * an inbox. The unit of atomicity is ONE document with the messages it causes and the inbox position it
 * handles, so that an adapter needs no multi-document transaction.
 */

/**
 * A JSON value. What JSON cannot hold is refused with `Invalid`: `Date` and other class instances, `bigint`,
 * functions, `NaN`, infinities, unpaired surrogates, more than 100 levels. A property that is `undefined`
 * counts as absent. A document is a plain object of at most 8 Mi characters of JSON.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Declares what a collection can be searched and sorted by. Searching by anything else throws `Invalid`. */
export interface CollectionDefinition {
  /** Lower case, digits and `_`; unique in the store. */
  readonly name: string;
  readonly indexes?: readonly Index[];
}

/**
 * An absent value and `null` are not indexed, so any number of documents may lack a `unique` one. A boolean is
 * indexed as the number 0 or 1. A document with a value of another type there is refused with `Invalid`.
 */
export type Index =
  /** A scalar at a dotted path of the document (`state`, `recipe.name`). */
  | { readonly path: string; readonly type: 'text' | 'number'; readonly unique?: boolean }
  /** A map of name → scalar at `map`, each entry searchable as `map[name]` (metrics, params, tags). */
  | { readonly map: string; readonly values: 'text' | 'number' };

/** `path` of an index, or `[map, key]` for an entry of an indexed map; `$key` is the document's key. */
export type FieldRef = string | readonly [map: string, key: string];

export type Scalar = string | number | boolean;

/**
 * A condition holds only for documents that have the field: `ne` too does not match where it is missing, only
 * `exists: false` does. Text is compared by code point. `and: []` holds for all, `or: []` and `in: []` for none.
 */
export type Filter =
  | { readonly and: readonly Filter[] }
  | { readonly or: readonly Filter[] }
  | {
      readonly field: FieldRef;
      readonly op: 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte';
      readonly value: Scalar;
    }
  | { readonly field: FieldRef; readonly op: 'in'; readonly value: readonly Scalar[] }
  | { readonly field: FieldRef; readonly op: 'prefix'; readonly value: string }
  | { readonly field: FieldRef; readonly op: 'exists'; readonly value: boolean };

export interface Query {
  readonly filter?: Filter;
  /** Ties, and an absent sort, are ordered by key ascending; documents without the field come last. */
  readonly sort?: { readonly field: FieldRef; readonly direction: 'asc' | 'desc' };
  /** 1 to 1,000; default 100. */
  readonly limit?: number;
  /** `nextCursor` of the page before, with the same filter and sort. */
  readonly cursor?: string;
}

export interface Stored<T> {
  /** 1 to 512 characters, none a control character. */
  readonly key: string;
  /**
   * Counts commits to this document from 1. A deletion counts, and a document made anew under the key counts
   * on, so that a version read before the deletion never fits again.
   */
  readonly version: number;
  readonly document: T;
}

export interface Page<T> {
  readonly items: readonly Stored<T>[];
  readonly nextCursor?: string;
}

/**
 * A message to publish, before the store has numbered it. With `entity` it is an event, numbered per entity;
 * without, it is a command. Rule: all events of one entity are caused by commits to one and the same document.
 */
export interface NewMessage {
  readonly subject: string;
  /** CloudEvents type, or the command's type. */
  readonly type: string;
  /** See `entityId` of `@millrace/contracts`. Absent for a command. */
  readonly entity?: string;
  /** CloudEvents subject: the entity's key. */
  readonly key: string;
  /** The payload in proto JSON. */
  readonly data: Json;
  /** W3C trace context of the cause, by default the active span's, and any extension attributes. */
  readonly headers?: Readonly<Record<string, string>>;
  /** De-duplication id; default a new ULID. Commands give one that is stable for the same piece of work. */
  readonly id?: string;
}

export interface OutboxMessage extends Omit<NewMessage, 'data'> {
  readonly id: string;
  /** The payload as JSON text: whoever publishes it needs nothing else. */
  readonly json: string;
  /** Position in this store's outbox; ascending in commit order. */
  readonly position: number;
  /** 1, 2, 3 … within `entity`; 0 for a command. */
  readonly sequence: number;
  /** ISO 8601 time of the commit, UTC. */
  readonly time: string;
}

/** How far a consumer has come with an entity's events. Every sequence up to and including it is handled. */
export interface InboxPosition {
  readonly consumer: string;
  readonly entity: string;
  readonly sequence: number;
}

/**
 * What is committed. The key's rule is that of `Stored.key`. A deletion (`document: null`) of a document that
 * does not exist (`expected: 0`) is allowed: it only causes its messages and records `handled`.
 */
export interface Change<T> {
  readonly key: string;
  /** The version that the caller read; 0 demands that the document does not exist. */
  readonly expected: number;
  /** The new state, or `null` to delete. */
  readonly document: T | null;
  readonly messages?: readonly NewMessage[];
  /** Recorded atomically with the change. */
  readonly handled?: InboxPosition;
}

export type CommitResult<T> =
  | { readonly status: 'committed'; readonly stored: Stored<T> | undefined }
  /** `handled` was recorded by an earlier commit: nothing was changed now. */
  | { readonly status: 'already_handled' };

/** What a decision wants done with the document: its new state and the messages, or nothing. */
export interface Decision<T> {
  readonly document: T | null;
  readonly messages?: readonly NewMessage[];
}

/**
 * What a write outlives once it has resolved. `full`: the end of the machine. `delayed`: the end of the process, but that of the
 * machine only when another commit with full durability has followed it.
 */
export type Durability = 'full' | 'delayed';

export interface UpdateOptions {
  /** Recorded atomically with the change. */
  readonly handled?: InboxPosition | undefined;
  /**
   * Default `full`. `delayed` saves the wait for the disk where the machine's end takes what the write is about with it, such as
   * the work that was claimed; such a decision may have no messages. A store on other machines makes no difference.
   */
  readonly durability?: Durability;
}

export interface Collection<T extends object> {
  get(key: string): Promise<Stored<T> | undefined>;
  /** Like `get`, in the order of `keys`, leaving out the missing. At most 1,000 keys. */
  getMany(keys: readonly string[]): Promise<readonly Stored<T>[]>;
  /** Throws `Invalid` on an undeclared field, a bad cursor or limit. */
  find(query?: Query): Promise<Page<T>>;
  count(filter?: Filter): Promise<number>;
  /**
   * Atomic and durable when it resolves. Throws `Conflict` when `expected` is not the version found or a
   * `unique` value is taken (`details.field`), `Invalid` on a bad change, `Exhausted` on a full disk and
   * `Unavailable` when the store does not answer; then nothing was changed.
   */
  commit(change: Change<T>): Promise<CommitResult<T>>;
  /** `commit` with `expected: 0`. */
  insert(key: string, document: T, messages?: readonly NewMessage[]): Promise<Stored<T>>;
  /**
   * Reads, asks `decide` and commits, again from the read when somebody else was faster (bounded). `decide`
   * must be pure and synchronous: it may be called several times. Returning `undefined` leaves the document;
   * `handled` is recorded all the same. When `handled` was recorded before, `decide` is not asked. Returns
   * the document as it is afterwards. Throws as `commit` does, and `Invalid` on messages with delayed durability.
   */
  update(
    key: string,
    decide: (current: Stored<T> | undefined) => Decision<T> | undefined,
    options?: UpdateOptions,
  ): Promise<Stored<T> | undefined>;
  /** Every document matching, read page by page; sees each document that is not changed meanwhile once. */
  scan(filter?: Filter): AsyncIterable<Stored<T>>;
}

export interface Outbox {
  /** Unsent messages in commit order but for those at the positions `except`; `limit` 1 to 10,000. */
  pending(limit: number, except?: ReadonlySet<number>): Promise<readonly OutboxMessage[]>;
  /** With delayed durability: what is published again for want of the mark is known to the broker. */
  markSent(positions: readonly number[]): Promise<void>;
  /** Calls back after commits of this process that added messages; returns how to stop it. */
  onCommit(listener: () => void): () => void;
  /** Events of an entity with `after < sequence <= upTo`, sent or not, in order: the refill. */
  history(entity: string, after: number, upTo?: number): Promise<readonly OutboxMessage[]>;
  /**
   * Messages marked sent at or after `time` and beyond `afterPosition`, in commit order; `limit` 1 to 10,000.
   * To rebuild a stream that lost what it was given from `time` on.
   */
  sentSince(time: string, afterPosition: number, limit: number): Promise<readonly OutboxMessage[]>;
  /** Forgets messages marked sent before `time`; returns how many. Sequences and positions go on counting. */
  prune(time: string): Promise<number>;
  stats(): Promise<{ readonly pending: number; readonly oldestPendingTime?: string }>;
}

export interface Inbox {
  /** Whether several processes may use it at once: what one of them knows but has not recorded, the others do not find. */
  readonly isShared: boolean;
  /** 0 when the consumer never handled an event of the entity. */
  position(consumer: string, entity: string): Promise<number>;
  /**
   * Records a position without a document; one that is not above the recorded one changes nothing, and costs nothing where a
   * commit of this process has just recorded it. With delayed durability: after a power cut the event may be handled again, as
   * after a crash before the position was recorded. Who must not handle it twice gives `handled` with the effect.
   */
  advance(position: InboxPosition): Promise<void>;
  /**
   * Records positions that matter little, with other commits where some come within so many milliseconds. `positions` is asked
   * when it is written, perhaps more than once, and gives what is to be recorded then.
   */
  advanceSoon(positions: () => readonly InboxPosition[], withinMs: number): Promise<void>;
}

export interface Migration {
  /** 1, 2, 3 … without gaps, in the order of the list; `migrate` gets the whole list each time. */
  readonly number: number;
  readonly name: string;
  /** Must be safe to repeat: a crash between its end and the record of it runs it again. */
  up(store: DocumentStore): Promise<void>;
}

export interface DocumentStore {
  /**
   * The same definition must be given each time a name is opened, else `Invalid`. When the definition changed
   * since the store was last opened, its indexes are made anew from the documents.
   */
  collection<T extends object>(definition: CollectionDefinition): Collection<T>;
  readonly outbox: Outbox;
  readonly inbox: Inbox;
  /**
   * Runs the migrations not yet run, in order. Throws `FailedPrecondition` when the store is newer than the
   * code or a migration that has run has another name now, `Invalid` on a gap in the numbers.
   */
  migrate(migrations: readonly Migration[]): Promise<void>;
  /** Resolves when the store answers; throws `Unavailable` otherwise. */
  ping(): Promise<void>;
  /** Bytes that documents and indexes take at rest, without what was not yet moved from a log into place. */
  sizeBytes(): Promise<number>;
  /** Finishes commits under way, then closes. */
  close(): Promise<void>;
}
