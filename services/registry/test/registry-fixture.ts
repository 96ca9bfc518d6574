import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFsBlobStore } from '@millrace/blobs';
import { newId } from '@millrace/service-kit';
import { type DocumentStore, openSqliteStore } from '@millrace/store';
import { newContext, openCollections, type RegistryContext } from '../src/application/context.ts';

/** The use cases over a real store, with a clock that the test turns. */
export interface RegistryFixture {
  readonly context: RegistryContext;
  readonly store: DocumentStore;
  readonly directory: string;
  /** Milliseconds since the epoch. */
  clock: number;
  /** A second opening of the same store, as another process would have it. */
  another(): Promise<RegistryContext>;
  dispose(): Promise<void>;
}

const noReports = {
  get: async () => undefined,
  findForModel: async () => undefined,
};

export const openRegistry = async (): Promise<RegistryFixture> => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-registry-'));
  const blobs = await openFsBlobStore({ directory: join(directory, 'blobs') });
  const opened: DocumentStore[] = [];
  const open = async (): Promise<RegistryContext> => {
    const store = await openSqliteStore({ path: join(directory, 'store.sqlite'), service: 'registry' });
    opened.push(store);
    const now = () => new Date(fixture.clock).toISOString();
    return newContext({ collections: openCollections(store), blobs, reports: noReports, now, newId });
  };
  const fixture = { clock: Date.UTC(2026, 0, 1), directory };
  const context = await open();
  return Object.assign(fixture, {
    context,
    store: opened[0] as DocumentStore,
    another: open,
    dispose: async () => {
      await Promise.all(opened.map((store) => store.close()));
      await blobs.close();
      await rm(directory, { recursive: true, force: true });
    },
  });
};
