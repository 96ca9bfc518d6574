import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { describeDocumentStore } from '../src/conformance/index.ts';
import { type DocumentStore, openMongoStore } from '../src/index.ts';
import { type MongoServer, startMongoServer } from './mongo-server.ts';

let server: MongoServer;

beforeAll(async () => {
  server = await startMongoServer();
}, 300_000);

afterAll(() => server.kill());

describeDocumentStore('MongoDB', async () => {
  const database = `test-${randomUUID()}`;
  const open = (): Promise<DocumentStore> =>
    openMongoStore({ url: server.url, database, service: 'training' });
  let store = await open();
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await open();
      return store;
    },
    close: () => store.close(),
  };
});
