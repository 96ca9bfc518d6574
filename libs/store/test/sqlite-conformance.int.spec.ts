import { join } from 'node:path';
import { describeDocumentStore } from '../src/conformance/index.ts';
import { openSqliteStore } from '../src/index.ts';
import { useFolders } from './temporary-folder.ts';

const newFolder = useFolders();

describeDocumentStore('SQLite', async () => {
  const path = join(await newFolder(), 'training.sqlite');
  let store = await openSqliteStore({ path, service: 'training' });
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await openSqliteStore({ path, service: 'training' });
      return store;
    },
    close: () => store.close(),
  };
});
