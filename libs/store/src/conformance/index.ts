import { describe } from 'vitest';
import { describeDocuments } from './documents.ts';
import type { OpenStore } from './fixture.ts';
import { describeHostileInput } from './hostile-input.ts';
import { describeInbox } from './inbox.ts';
import { describeMigrations } from './migrations.ts';
import { describeOutbox } from './outbox.ts';
import { describePaging } from './paging.ts';
import { describeQueries } from './queries.ts';

export type { OpenedStore, OpenStore } from './fixture.ts';

/**
 * What every adapter of the `DocumentStore` port must do, as tests. `open` gives an empty store for each test;
 * nothing here needs a transaction over several documents.
 */
export const describeDocumentStore = (name: string, open: OpenStore): void => {
  describe(`document store on ${name}`, () => {
    describeDocuments(open);
    describeQueries(open);
    describePaging(open);
    describeOutbox(open);
    describeInbox(open);
    describeMigrations(open);
    describeHostileInput(open);
  });
};
