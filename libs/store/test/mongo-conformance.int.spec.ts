import { randomUUID } from 'node:crypto';
import { describeDocumentStore } from '../src/conformance/index.ts';
import { type DocumentStore, openMongoStore } from '../src/index.ts';
import { useMongoServer } from './use-mongo-server.ts';

const server = useMongoServer();

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
