import type { MillraceError } from '@millrace/errors';
import type { Indexes } from '../indexes.ts';
import type { InboxPosition } from '../port.ts';
import type { DocumentState } from './document-state.ts';

/** What a request makes of the document that it is about. */
export interface Decided {
  /** The same object as given when nothing is to be written. */
  readonly state: DocumentState;
  readonly result: unknown;
  /** A position to record without the document. */
  readonly advance?: InboxPosition;
}

export interface CommitRequest {
  readonly collection: string;
  readonly indexes: Indexes;
  readonly key: string;
  /** Makes the collection ready, if it is not. */
  readonly prepare: () => Promise<void>;
  /** Looked up before the decision. */
  readonly handled: InboxPosition | undefined;
  /** Pure and synchronous: it is asked again when somebody else was faster. What it throws refuses the request. */
  readonly decide: (state: DocumentState, alreadyHandled: boolean) => Decided;
}

/** What the database refused of a document at this version. */
export interface Refusal {
  readonly version: number;
  readonly error: MillraceError;
}

/** A request that waits for its answer. */
export interface OpenRequest extends CommitRequest {
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: unknown) => void;
  /** Until when to try again while MongoDB does not answer, by `performance.now()`. */
  readonly deadline: number;
  /** How often somebody else was faster. */
  losses: number;
  /** Shares its write with no other request, because one that it shared was refused. */
  alone: boolean;
  refusal: Refusal | undefined;
}

export type Outcome = { readonly result: unknown } | { readonly reason: unknown };

export interface Answer {
  readonly request: OpenRequest;
  readonly outcome: Outcome;
  readonly advance?: InboxPosition;
}

/** The requests about one document, and what they make of it together: one write. */
export interface Chain {
  readonly collection: string;
  readonly key: string;
  readonly indexes: Indexes;
  readonly base: DocumentState;
  readonly baseRevision: number;
  readonly baseWrites: readonly string[];
  state: DocumentState;
  readonly answers: Answer[];
}

/** Names a document among all collections. */
export const placeOf = ({ collection, key }: { readonly collection: string; readonly key: string }): string =>
  `${collection}/${key}`;

export const giveAnswer = ({ request, outcome }: Answer): void => {
  if ('reason' in outcome) request.reject(outcome.reason);
  else request.resolve(outcome.result);
};
