import { existsSync } from 'node:fs';
import { cp, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Bus, type DeadLetterCopy, restoreDeadLetters, streams } from '@millrace/bus';
import { Conflict, FailedPrecondition } from '@millrace/errors';
import { readRunningState } from '@millrace/installation';
import { type MongoStoresOptions, requireNoMongoStores, restoreMongoStores } from '@millrace/store';
import { copyBlob, openBackupBlobs, readBlobList } from './blob-list.ts';
import { connectToBroker, withOwnBroker } from './broker-access.ts';
import { openInstallationBlobs } from './create-backup.ts';
import { type BackupManifest, type StoreKind, storeKindOf } from './manifest.ts';
import { mongoStoresOf } from './store-source.ts';
import { verifyBackup } from './verify-backup.ts';

export interface RestoreOptions {
  /** Directory of the backup. */
  readonly source: string;
  /** Where Millrace will run: must not be there, or be empty. */
  readonly dataDir: string;
  /**
   * What is in the data directory is moved aside; streams of a broker that `NATS_URL` names are emptied; what the
   * databases in MongoDB hold is dropped.
   */
  readonly force: boolean;
  readonly env: NodeJS.ProcessEnv;
  /** Of the moment, for names of what is moved aside. */
  readonly now: Date;
  readonly onProgress: (message: string) => void;
}

export interface Restored {
  readonly manifest: BackupManifest;
  /** Where the former content of the data directory is now. */
  readonly movedAside?: string;
}

/**
 * Makes a data directory from a backup, which is verified first. It appears in one step when it is whole. The streams are
 * not in it: services publish from their outboxes what a broker does not have. A broker of its own (`NATS_URL`) must
 * have no events, because those from after the backup would count as ones that are yet to come. Stores in MongoDB are
 * filled before the directory appears, and no service can open them before the last of them is whole.
 */
export const restoreBackup = async (options: RestoreOptions): Promise<Restored> => {
  const { source, dataDir, force, env, onProgress } = options;
  const manifest = await verifyBackup(source, onProgress);
  const mongo = mongoStoresOf(env);
  requireKind(manifest, mongo === undefined ? 'sqlite' : 'mongodb');
  await refuseRunning(dataDir);
  const isTaken = existsSync(dataDir) && (await readdir(dataDir)).length > 0;
  if (isTaken && !force) {
    throw new Conflict(`${dataDir} is not empty`, {
      hint: 'Choose another --data-dir, or add --force: what is there is moved aside, not removed.',
    });
  }
  if (mongo !== undefined && !force) await requireNoMongoStores(mongo);
  const parent = dirname(resolve(dataDir));
  const making = `${resolve(dataDir)}.restoring`;
  await mkdir(parent, { recursive: true });
  await rm(making, { recursive: true, force: true });
  const external = env.NATS_URL || undefined;
  if (external !== undefined)
    await onBroker(external, options, (bus) => requireNoEvents(bus, external, force));
  try {
    await mkdir(making, { mode: 0o700 });
    await fill(making, manifest, options);
    if (mongo !== undefined) await restoreDatabases(mongo, manifest, options);
    const movedAside = isTaken
      ? `${resolve(dataDir)}.${options.now.toISOString().replaceAll(':', '')}`
      : undefined;
    if (movedAside !== undefined) await rename(dataDir, movedAside);
    await rename(making, dataDir);
    await syncDirectory(parent);
    if (external !== undefined) {
      await onBroker(external, options, (bus) => putBack(bus, manifest, options));
    }
    return { manifest, ...(movedAside === undefined ? {} : { movedAside }) };
  } catch (thrown) {
    await rm(making, { recursive: true, force: true });
    throw thrown;
  }
};

const requireKind = (manifest: BackupManifest, kind: StoreKind): void => {
  const found = storeKindOf(manifest);
  if (found === kind) return;
  throw found === 'mongodb'
    ? new FailedPrecondition('the backup is of stores in MongoDB, and none is named', {
        hint: 'Name the MongoDB to restore into: MILLRACE_STORE_URL.',
      })
    : new FailedPrecondition('the backup is of SQLite stores, and MILLRACE_STORE_URL names MongoDB', {
        hint: 'Leave MILLRACE_STORE_URL out: a backup is restored into stores of its own kind.',
      });
};

const restoreDatabases = async (
  mongo: MongoStoresOptions,
  { stores, cutAt }: BackupManifest,
  { source, onProgress }: RestoreOptions,
): Promise<void> => {
  await restoreMongoStores(
    mongo,
    stores.map(({ service, path }) => ({ service, path: join(source, path) })),
  );
  onProgress(`${stores.length} databases as of ${cutAt}`);
};

const refuseRunning = async (dataDir: string): Promise<void> => {
  const running = await readRunningState(dataDir);
  if (running === undefined) return;
  throw new Conflict(`Millrace runs on ${dataDir} (process ${running.pid})`, {
    hint: 'End it first: `millrace down`.',
  });
};

const fill = async (making: string, manifest: BackupManifest, options: RestoreOptions): Promise<void> => {
  const { source, env, onProgress } = options;
  const files = manifest.stores.filter(({ kind }) => kind !== 'mongodb');
  for (const { service, path } of files) {
    await mkdir(join(making, service), { mode: 0o700 });
    await cp(join(source, path), join(making, service, 'store.sqlite'));
    await syncFile(join(making, service, 'store.sqlite'));
    await syncDirectory(join(making, service));
  }
  if (files.length > 0) onProgress(`${files.length} stores as of ${manifest.cutAt}`);
  await restoreBlobs(making, options);
  if (!env.NATS_URL && (manifest.deadLetters?.count ?? 0) > 0) {
    await withOwnBroker(making, env, (bus) => putBack(bus, manifest, options));
  }
  await syncDirectory(making);
};

const restoreBlobs = async (making: string, { source, env, onProgress }: RestoreOptions): Promise<void> => {
  const from = await openBackupBlobs(source);
  const to = await openInstallationBlobs(making, env);
  try {
    const list = await readBlobList(source);
    for (const { digest } of list) await copyBlob(from, to, digest);
    onProgress(`${list.length} blobs`);
  } finally {
    await from.close();
    await to.close();
  }
};

const putBack = async (
  bus: Bus,
  { deadLetters }: BackupManifest,
  { source, onProgress }: RestoreOptions,
): Promise<void> => {
  if (deadLetters === undefined || deadLetters.count === 0) return;
  const lines = (await readFile(join(source, deadLetters.path), 'utf8')).split('\n').filter(Boolean);
  await restoreDeadLetters(
    bus,
    lines.map((line) => JSON.parse(line) as DeadLetterCopy),
  );
  onProgress(`${lines.length} messages of the stream DEAD`);
};

const onBroker = async (
  url: string,
  { dataDir, env }: RestoreOptions,
  work: (bus: Bus) => Promise<void>,
): Promise<void> => {
  const bus = await connectToBroker(url, dataDir, env, 'services');
  try {
    await work(bus);
  } finally {
    await bus.drain();
  }
};

/** Events from after the backup would stand in the way of those that the restored services number anew. */
const requireNoEvents = async ({ internals }: Bus, url: string, force: boolean): Promise<void> => {
  const { jsm } = internals;
  const { state } = await jsm.streams.info(streams.events);
  if (state.last_seq === 0) return;
  if (!force) {
    throw new Conflict(`the broker at ${url} has events of a Millrace`, {
      hint: 'Give the restored one an empty broker, or add --force: its streams are removed, and made anew from the stores.',
    });
  }
  for (const name of Object.values(streams)) await jsm.streams.delete(name);
  await internals.ensureStreams();
};

const syncFile = async (path: string): Promise<void> => {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const syncDirectory = syncFile;
