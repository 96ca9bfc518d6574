import { join } from 'node:path';
import { ErrorCode } from '@millrace/errors';
import { describe, expect, it } from 'vitest';
import { expectError, expectInvalid } from '../src/conformance/fixture.ts';
import { openMongoStore, openStore } from '../src/index.ts';
import { useFolders } from './temporary-folder.ts';
import { useMongoServer } from './use-mongo-server.ts';

const newFolder = useFolders();

describe('a store opened by its URL', () => {
  it('is a SQLite file for sqlite:', async () => {
    const url = `sqlite:${join(await newFolder(), 'deep', 'training.sqlite')}`;
    const store = await openStore({ url, service: 'training' });
    await store.collection({ name: 'runs' }).insert('a', {});
    await store.close();
    const again = await openStore({ url, service: 'training' });
    expect(await again.collection({ name: 'runs' }).count()).toBe(1);
    await again.close();
  });

  it.each(['', 'training.sqlite', 'http://127.0.0.1', 'postgres://h/d', 'mongodb:/h'])(
    'is refused for %j',
    async (url) => {
      await expectInvalid(openStore({ url, service: 'training' }), 'url');
    },
  );

  it('is refused for an address that the driver cannot read', async () => {
    const opening = openStore({ url: 'mongodb://user:secret@@/', service: 'training' });
    await expectInvalid(opening, 'url');
    await expect(opening).rejects.not.toThrow(/secret/);
  });
});

describe('a store opened by an address of MongoDB', () => {
  const server = useMongoServer();

  it('is the database of the service', async () => {
    const stores = [];
    for (const service of ['training', 'registry']) {
      const store = await openStore({ url: server.url, service });
      await store.collection({ name: 'runs' }).insert(service, {});
      stores.push(store);
    }
    for (const store of stores) expect(await store.collection({ name: 'runs' }).count()).toBe(1);
    for (const store of stores) await store.close();
    const database = 'millrace_training';
    const stranger = openMongoStore({ url: server.url, database, service: 'registry' });
    await expectError(stranger, ErrorCode.failedPrecondition);
  });
});
