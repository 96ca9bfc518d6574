import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFsBlobStore } from '@millrace/blobs';
import { testBroker } from '@millrace/broker';
import { connectBus } from '@millrace/bus';
import { openSqliteStore } from '@millrace/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBackup } from '../src/backup/create-backup.ts';
import { restoreBackup } from '../src/backup/restore-backup.ts';
import { verifyBackup } from '../src/backup/verify-backup.ts';

let folder: string;
let dataDir: string;
let backup: string;
const quiet = () => {};
const env = {};

const create = (target: string, from = dataDir, natsUrl?: string) =>
  createBackup({ dataDir: from, target, version: '1.2.3', natsUrl, env, onProgress: quiet });
const restore = (source: string, to: string, force = false, own: NodeJS.ProcessEnv = env) =>
  restoreBackup({ source, dataDir: to, force, env: own, now: new Date(0), onProgress: quiet });

const document = { name: 'flights' };
const readThing = async (directory: string) => {
  const store = await openSqliteStore({
    path: join(directory, 'registry', 'store.sqlite'),
    service: 'registry',
  });
  try {
    return (await store.collection<typeof document>({ name: 'things' }).get('one'))?.document;
  } finally {
    await store.close();
  }
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-backup-'));
  dataDir = join(folder, 'data');
  const blobs = await openFsBlobStore({ directory: join(dataDir, 'blobs') });
  const listed = await blobs.put(new TextEncoder().encode('listed'));
  const aside = await blobs.put(new TextEncoder().encode('put aside as garbage, and named all the same'));
  await blobs.retire(aside.digest);
  for (const service of ['registry', 'training']) {
    await mkdir(join(dataDir, service), { recursive: true });
    const store = await openSqliteStore({ path: join(dataDir, service, 'store.sqlite'), service });
    const things = store.collection<object>({ name: 'things' });
    await things.insert('one', document);
    await things.insert('two', { listed: listed.digest, aside: aside.digest });
    await things.insert('three', { users: `sha256:${'0'.repeat(64)}` });
    await store.close();
  }
  await blobs.close();
  backup = join(folder, 'backup');
  await create(backup);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a backup', () => {
  it('has every store and blob, also one that was put aside, and says what it could not have', async () => {
    const manifest = await verifyBackup(backup, quiet);
    expect(manifest.stores.map(({ service }) => service)).toEqual(['training', 'registry']);
    expect(manifest).toMatchObject({ format: 1, version: '1.2.3', absentDigests: 1, blobs: { count: 2 } });
    expect(manifest.deadLetters).toBeUndefined();
  });

  it('is made in an empty directory only, of a data directory with stores, and leaves nothing when it fails', async () => {
    await expect(create(backup)).rejects.toMatchObject({ code: 'conflict' });
    await expect(create(join(folder, 'none'), join(folder, 'nowhere'))).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(create(join(folder, 'none'), dataDir, 'nats://127.0.0.1:1')).rejects.toMatchObject({
      code: 'failed_precondition',
      hint: expect.stringContaining('--no-broker'),
    });
    expect(await readdir(folder)).not.toContain('none');
    await expect(
      createBackup({
        dataDir,
        target: join(folder, 'none'),
        version: '1',
        natsUrl: undefined,
        env: { MILLRACE_STORE_URL: 'sqlite:/one.sqlite' },
        onProgress: quiet,
      }),
    ).rejects.toMatchObject({ code: 'invalid', hint: expect.stringContaining('backup.md') });
  });
});

describe('a restore', () => {
  it('makes a data directory, and moves aside what is in the way only when it is told to', async () => {
    const target = join(folder, 'restored');
    expect(await restore(backup, target)).not.toHaveProperty('movedAside');
    expect(await readThing(target)).toEqual(document);
    await expect(restore(backup, target)).rejects.toMatchObject({
      code: 'conflict',
      hint: expect.stringContaining('--force'),
    });
    const { movedAside = '' } = await restore(backup, target, true);
    expect(await readThing(movedAside)).toEqual(document);
    expect(await readThing(target)).toEqual(document);
    expect((await readdir(folder)).filter((name) => name.endsWith('.restoring'))).toEqual([]);
  });

  it('refuses a broker that has events, unless its streams may go', async () => {
    const broker = await testBroker();
    try {
      const bus = await connectBus({ url: broker.url, service: 'registry' });
      await bus.internals.js.publish('millrace.evt.registry.model.registered.v1', '{}');
      const own = { NATS_URL: broker.url };
      const target = join(folder, 'with-broker');
      await expect(restore(backup, target, false, own)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('has events'),
      });
      expect(await readdir(folder)).not.toContain('with-broker');
      await restore(backup, target, true, own);
      expect((await bus.internals.jsm.streams.info('EVENTS')).state.last_seq).toBe(0);
      await bus.drain();
    } finally {
      await broker.stop();
    }
  });

  it('of a newer format is refused', async () => {
    const newer = join(folder, 'newer');
    await cp(backup, newer, { recursive: true });
    const { writeManifest } = await import('../src/backup/manifest.ts');
    const manifest = await verifyBackup(newer, quiet);
    for (const name of ['manifest.json', 'manifest.json.sha256']) await rm(join(newer, name));
    await writeManifest(newer, { ...manifest, format: 3, version: '9.0.0' });
    await expect(restore(newer, join(folder, 'never'))).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('made by Millrace 9.0.0'),
    });
  });
});

const blobFiles = async (directory: string): Promise<string[]> => {
  const entries = await readdir(join(directory, 'blobs'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

const flip = async (file: string): Promise<void> => {
  const bytes = await readFile(file);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await rm(file);
  await writeFile(file, bytes);
};

describe('a damaged backup', () => {
  it.each<{
    readonly how: string;
    readonly damage: (directory: string) => Promise<void>;
    readonly says: RegExp;
  }>([
    {
      how: 'a store with a flipped bit',
      damage: (directory) => flip(join(directory, 'stores/registry.sqlite')),
      says: /stores\/registry\.sqlite: its content was changed/,
    },
    {
      how: 'a store cut short',
      damage: (directory) => truncate(join(directory, 'stores/training.sqlite'), 4_096),
      says: /stores\/training\.sqlite: it has 4096 bytes/,
    },
    {
      how: 'a store gone',
      damage: (directory) => rm(join(directory, 'stores/training.sqlite')),
      says: /stores\/training\.sqlite/,
    },
    {
      how: 'a blob with a flipped bit',
      damage: async (directory) => flip((await blobFiles(directory))[0] ?? ''),
      says: /blobs, sha256:[0-9a-f]{64}/,
    },
    {
      how: 'a blob gone',
      damage: async (directory) => rm((await blobFiles(directory))[0] ?? ''),
      says: /blobs, sha256:[0-9a-f]{64}/,
    },
    {
      how: 'a shorter list of blobs',
      damage: (directory) => truncate(join(directory, 'blobs.txt'), 0),
      says: /blobs\.txt: it has 0 bytes/,
    },
    {
      how: 'a changed manifest',
      damage: (directory) => flip(join(directory, 'manifest.json')),
      says: /manifest\.json/,
    },
    {
      how: 'no manifest',
      damage: (directory) => rm(join(directory, 'manifest.json')),
      says: /no complete backup/,
    },
  ])('($how) is refused by name before anything is changed', async ({ how, damage, says }) => {
    const directory = join(folder, how);
    await cp(backup, directory, { recursive: true });
    await damage(directory);
    await expect(verifyBackup(directory, quiet)).rejects.toThrow(says);
    await expect(restore(directory, join(folder, 'never'))).rejects.toThrow(says);
    expect(await readdir(folder)).not.toContain('never');
  });
});
