import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFsBlobStore } from '@millrace/blobs';
import {
  type DocumentStore,
  freezeMongoStores,
  openSqliteStore,
  openStore,
  restoreMongoStores,
} from '@millrace/store';
import { findObstacle, type MongoServer, startMongoServer } from '@millrace/store/mongo-server';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBackup } from '../src/backup/create-backup.ts';
import { restoreBackup } from '../src/backup/restore-backup.ts';
import { verifyBackup } from '../src/backup/verify-backup.ts';

interface Thing {
  readonly name: string;
  readonly size: number;
  readonly labels?: Readonly<Record<string, string>>;
}

const quiet = () => {};
const services = ['training', 'registry'] as const;
const things = {
  name: 'things',
  indexes: [
    { path: 'name', type: 'text', unique: true },
    { path: 'size', type: 'number' },
    { map: 'labels', values: 'text' },
  ],
} as const;
const absent = `sha256:${'0'.repeat(64)}`;

let obstacle: string | undefined;
const servers: MongoServer[] = [];
let folder: string;
let dataDir: string;
let backup: string;
/** All that could be read of each store when it was backed up. */
const expected = new Map<string, unknown>();
let url: string;

const startServer = async (): Promise<string> => {
  const server = await startMongoServer();
  servers.push(server);
  return server.url;
};
const create = (target: string, stopped: boolean, storeUrl = url) =>
  createBackup({
    dataDir,
    target,
    version: '1.2.3',
    natsUrl: undefined,
    env: { MILLRACE_STORE_URL: storeUrl },
    stopped,
    onProgress: quiet,
  });
const restore = (source: string, to: string, storeUrl: string | undefined, force = false) =>
  restoreBackup({
    source,
    dataDir: to,
    force,
    env: storeUrl === undefined ? {} : { MILLRACE_STORE_URL: storeUrl },
    now: new Date(0),
    onProgress: quiet,
  });

const messageOf = (index: number) => ({
  subject: 'millrace.evt.things.changed',
  type: 'things.changed',
  entity: `things/${index}`,
  key: `${index}`,
  data: { index },
});

const migrations = [{ number: 1, name: 'first', up: async () => {} }];

const withStore = async <R>(at: string, service: string, work: (store: DocumentStore) => Promise<R>) => {
  const store = await openStore({ url: at, service });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
};

const entities = [0, 1, 2, 3].map((index) => `things/${index}`);

const fill = (service: string, digest: string) =>
  withStore(url, service, async (store) => {
    const collection = store.collection<Thing>(things);
    await store.migrate(migrations);
    // More than is inserted at once by a restore.
    await Promise.all(
      Array.from({ length: 600 }, (_, index) =>
        collection.insert(
          `${index}`.padStart(5, '0'),
          { name: `thing ${index}`, size: index / 7, labels: { 'a.b$': `${index % 3}` } },
          index < 4 ? [messageOf(index), messageOf(index)] : [],
        ),
      ),
    );
    // A line of JSON may hold what other readers of lines take for the end of one.
    await collection.insert('lines', { name: `one\u2028two\u2029three\r\nfour ${digest}`, size: 1e300 });
    await collection.insert('users', { name: `a user's ${absent}`, size: -1 });
    await collection.commit({ key: '00009', expected: 1, document: null });
    await store.inbox.advance({ consumer: 'one', entity: 'runs/a', sequence: 7 });
    const gone = { key: 'gone', expected: 0, document: null };
    await collection.commit({ ...gone, handled: { consumer: 'two', entity: 'runs/b', sequence: 3 } });
    const waiting = await store.outbox.pending(5);
    await store.outbox.markSent(waiting.map(({ position }) => position));
  });

/** All that the port can read. */
const readAll = (at: string, service: string) =>
  withStore(at, service, async (store) => {
    const collection = store.collection<Thing>(things);
    return {
      documents: await Array.fromAsync(collection.scan()),
      labelled: await collection.count({ field: ['labels', 'a.b$'], op: 'eq', value: '1' }),
      pending: await store.outbox.pending(100),
      sent: await store.outbox.sentSince('2000-01-01T00:00:00.000Z', 0, 100),
      histories: await Promise.all(entities.map((entity) => store.outbox.history(entity, 0))),
      handled: [await store.inbox.position('one', 'runs/a'), await store.inbox.position('two', 'runs/b')],
    };
  });

beforeAll(async () => {
  obstacle = await findObstacle();
  if (obstacle !== undefined) return;
  folder = await mkdtemp(join(tmpdir(), 'millrace-backup-mongodb-'));
  dataDir = join(folder, 'data');
  url = await startServer();
  const blobs = await openFsBlobStore({ directory: join(dataDir, 'blobs') });
  const { digest } = await blobs.put(
    new TextEncoder().encode('put aside as garbage, and named all the same'),
  );
  await blobs.retire(digest);
  await blobs.close();
  for (const service of services) await fill(service, digest);
  backup = join(folder, 'backup');
  await create(backup, true);
  for (const service of services) expected.set(service, await readAll(url, service));
}, 300_000);
beforeEach((context) => {
  if (obstacle !== undefined) context.skip(obstacle);
});
afterAll(async () => {
  for (const server of servers) await server.kill();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

describe('a backup of stores in MongoDB', () => {
  it('has every store, and the blobs that they name', async () => {
    const manifest = await verifyBackup(backup, quiet);
    expect(manifest).toMatchObject({ format: 2, absentDigests: 1, blobs: { count: 1 } });
    expect(manifest.stores.map(({ service, kind, path }) => ({ service, kind, path }))).toEqual(
      services.map((service) => ({ service, kind: 'mongodb', path: `stores/${service}.jsonl` })),
    );
  });

  it('is refused, leaving nothing, by a server that gives no snapshot, unless the services are stopped', async () => {
    await expect(create(join(folder, 'none'), false)).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('gives no snapshot'),
      hint: expect.stringContaining('--stopped'),
    });
    expect(await readdir(folder)).not.toContain('none');
  });

  it('is refused when a service that is said to be stopped writes', async () => {
    const frozen = await freezeMongoStores({ url, services: ['training'], stopped: true });
    try {
      await frozen.copyTo('training', join(folder, 'training.jsonl'));
      await frozen.check();
      await withStore(url, 'training', (store) =>
        store.collection<Thing>(things).update('users', (current) => current),
      );
      await expect(frozen.check()).rejects.toMatchObject({
        code: 'failed_precondition',
        message: expect.stringContaining('millrace_training.documents.things changed while it was copied'),
      });
    } finally {
      await frozen.close();
    }
  });

  it('that is damaged is refused, naming the file, before anything is changed', async () => {
    const directory = join(folder, 'damaged');
    await cp(backup, directory, { recursive: true });
    const file = join(directory, 'stores/registry.jsonl');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('thing 17', 'thing 71'));
    const says = /stores\/registry\.jsonl: its content was changed/;
    await expect(verifyBackup(directory, quiet)).rejects.toThrow(says);
    await expect(restore(directory, join(folder, 'never'), url, true)).rejects.toThrow(says);
    expect(await readdir(folder)).not.toContain('never');
  });
});

describe('a restore into MongoDB', () => {
  let other: string;
  beforeAll(async () => {
    if (obstacle !== undefined) return;
    other = await startServer();
    await restore(backup, join(folder, 'restored'), other);
  }, 300_000);

  it('makes databases of which a backup is the same to the byte', async () => {
    const { stores } = await create(join(folder, 'backup-of-restored'), true, other);
    expect(stores).toEqual((await verifyBackup(backup, quiet)).stores);
  });

  it('brings back all that can be read', async () => {
    for (const service of services) {
      const read = await readAll(other, service);
      expect(read).toEqual(expected.get(service));
      expect(read.documents).toHaveLength(601);
      expect(read.pending).toHaveLength(3);
      expect(read.sent).toHaveLength(5);
      expect(read.handled).toEqual([7, 3]);
    }
  });

  it('lets services go on: numbers, versions, unique values, what was handled', async () => {
    await withStore(other, 'registry', async (store) => {
      await store.migrate(migrations);
      const collection = store.collection<Thing>(things);
      const taken = { name: 'thing 5', size: 1 };
      await expect(collection.insert('again', taken)).rejects.toMatchObject({ code: 'conflict' });
      const last = (await store.outbox.pending(100)).at(-1)?.position ?? 0;
      const thing = { name: 'thing 0', size: 2 };
      await collection.commit({ key: '00000', expected: 1, document: thing, messages: [messageOf(0)] });
      const event = (await store.outbox.pending(100)).at(-1);
      expect(event).toMatchObject({ entity: 'things/0', sequence: 3 });
      expect(event?.position).toBeGreaterThan(last);
      expect((await collection.insert('00009', { name: 'anew', size: 3 })).version).toBe(3);
      const handled = { consumer: 'two', entity: 'runs/b', sequence: 3 };
      const repeated = { key: 'gone', expected: 0, document: null, handled };
      expect(await collection.commit(repeated)).toEqual({ status: 'already_handled' });
    });
  });

  it('drops what is there only when it is told to', async () => {
    const target = join(folder, 'second');
    await expect(restore(backup, target, other)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/database millrace_(training|registry) is not empty/),
      hint: expect.stringContaining('--force'),
    });
    expect(await readdir(folder)).not.toContain('second');
    await restore(backup, target, other, true);
    for (const service of services) expect(await readAll(other, service)).toEqual(expected.get(service));
  });

  it('that did not end leaves stores that no service opens', async () => {
    const broken = join(folder, 'broken.jsonl');
    const lines = (await readFile(join(backup, 'stores/training.jsonl'), 'utf8')).split('\n');
    await writeFile(broken, `${lines.slice(0, 5).join('\n')}\n{"collection":`);
    const copies = [{ service: 'training', path: broken }];
    await expect(restoreMongoStores({ url: other, services }, copies)).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('--force'),
    });
    await expect(openStore({ url: other, service: 'training' })).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('restore'),
    });
  });

  it('of a backup of SQLite is refused, and the reverse', async () => {
    await expect(restore(backup, join(folder, 'never'), undefined)).rejects.toMatchObject({
      code: 'failed_precondition',
      hint: expect.stringContaining('MILLRACE_STORE_URL'),
    });
    const files = join(folder, 'files');
    await mkdir(join(files, 'registry'), { recursive: true });
    const store = await openSqliteStore({ path: join(files, 'registry/store.sqlite'), service: 'registry' });
    await store.close();
    const target = join(folder, 'backup-of-files');
    const options = { dataDir: files, target, version: '1', natsUrl: undefined, env: {}, onProgress: quiet };
    await createBackup(options);
    await expect(restore(target, join(folder, 'never'), other, true)).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('SQLite'),
    });
    expect(await readdir(folder)).not.toContain('never');
  });
});
