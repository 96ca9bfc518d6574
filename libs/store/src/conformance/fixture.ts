import { ErrorCode, type MillraceError } from '@millrace/errors';
import { afterEach, beforeEach, expect } from 'vitest';
import type { Collection, CollectionDefinition, DocumentStore, NewMessage, Stored } from '../port.ts';

/** A store opened for one test, empty at first. */
export interface OpenedStore {
  readonly store: DocumentStore;
  /** Closes the store, if it is open, and opens the same data again. */
  reopen(): Promise<DocumentStore>;
  /** Closes what is open and removes the data. */
  close(): Promise<void>;
}

export type OpenStore = () => Promise<OpenedStore>;

/** The document that most tests use. */
export interface Run {
  readonly name?: string | null;
  readonly state?: string;
  readonly score?: number | boolean | null;
  readonly owner?: { readonly team?: string };
  readonly metrics?: Readonly<Record<string, number>>;
  readonly tags?: Readonly<Record<string, string>>;
  readonly note?: unknown;
}

export const runsDefinition: CollectionDefinition = {
  name: 'runs',
  indexes: [
    { path: 'name', type: 'text', unique: true },
    { path: 'state', type: 'text' },
    { path: 'score', type: 'number' },
    { path: 'owner.team', type: 'text' },
    { map: 'metrics', values: 'number' },
    { map: 'tags', values: 'text' },
  ],
};

export interface Fixture {
  readonly store: DocumentStore;
  readonly runs: Collection<Run>;
  /** Reopens; `store` and `runs` are the new ones. */
  reopen(): Promise<void>;
}

/** A fresh store for each test of the enclosing `describe`. */
export const useStore = (open: OpenStore): Fixture => {
  let opened: OpenedStore;
  let store: DocumentStore;
  beforeEach(async () => {
    opened = await open();
    store = opened.store;
  });
  afterEach(() => opened.close());
  return {
    get store() {
      return store;
    },
    get runs() {
      return store.collection<Run>(runsDefinition);
    },
    async reopen() {
      store = await opened.reopen();
    },
  };
};

export const keysOf = (items: readonly Stored<unknown>[]): readonly string[] => items.map(({ key }) => key);

/** An event of `entity`, told apart by `data`. */
export const eventOf = (entity: string, data: NewMessage['data'] = {}): NewMessage => ({
  subject: 'millrace.evt.training.run.started.v1',
  type: 'millrace.training.run.started.v1',
  entity,
  key: entity.split('/').at(-1) ?? entity,
  data,
});

export const commandOf = (id: string): NewMessage => ({
  subject: 'millrace.step.training.train',
  type: 'millrace.step.v1.StepCommand',
  key: id,
  data: { id },
  id,
});

export const expectError = async (
  call: Promise<unknown> | (() => unknown),
  code: ErrorCode,
): Promise<MillraceError> => {
  const thrown = await Promise.resolve()
    .then(() => (typeof call === 'function' ? call() : call))
    .then(
      (value) => expect.fail(`resolved with ${JSON.stringify(value)} where ${code} was due`),
      (reason: MillraceError) => reason,
    );
  expect(thrown).toMatchObject({ code });
  return thrown;
};

/** Expects `Invalid` about exactly this field. */
export const expectInvalid = async (
  call: Promise<unknown> | (() => unknown),
  path: string,
): Promise<void> => {
  const error = await expectError(call, ErrorCode.invalid);
  expect(error.violations.map((violation) => violation.path)).toEqual([path]);
};
