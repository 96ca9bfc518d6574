import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BlobInfo, type BlobStore, type Digest, openBlobStore } from '@millrace/blobs';
import { copyDeadLetters } from '@millrace/bus';
import { Conflict, FailedPrecondition, Invalid, messageOf, NotFound } from '@millrace/errors';
import { serviceNames } from '@millrace/service-kit';
import { type FrozenStores, freezeSqliteStores, textsOfSqliteStore } from '@millrace/store';
import { copyBlob, openBackupBlobs, writeBlobList } from './blob-list.ts';
import { connectToBroker } from './broker-access.ts';
import {
  type BackedUpStore,
  type BackupManifest,
  backupFormat,
  blobListFile,
  deadLetterFile,
  describeFile,
  writeDurably,
  writeManifest,
} from './manifest.ts';

export interface CreateBackupOptions {
  /** Data directory of the Millrace, running or not. */
  readonly dataDir: string;
  /** A new or empty directory. */
  readonly target: string;
  /** Of the Millrace that makes it. */
  readonly version: string;
  /** Where a broker may be found; without one, dead letters are not in the backup. */
  readonly natsUrl: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress: (message: string) => void;
}

const reportEvery = 1_000;

/**
 * Copies all stores as of one moment, then every blob, then the dead letters, while services go on. Whatever the stores
 * name was put before, and is not removed for good before the grace of garbage is over, so that the blobs may be copied
 * afterwards (ADR 23). Leaves nothing behind when it fails.
 */
export const createBackup = async (options: CreateBackupOptions): Promise<BackupManifest> => {
  const { dataDir, target, env } = options;
  requireSqlite(env);
  const services = serviceNames.filter((name) => existsSync(storeOf(dataDir, name)));
  if (services.length === 0) {
    throw new NotFound(`there is no store in ${dataDir}`, {
      hint: 'Name the data directory with --data-dir.',
    });
  }
  const isNew = !existsSync(target);
  if (!isNew && (await readdir(target)).length > 0) {
    throw new Conflict(`${target} is not empty`, { hint: 'A backup needs a directory of its own.' });
  }
  await mkdir(target, { recursive: true, mode: 0o700 });
  try {
    return await fill(options, services);
  } catch (thrown) {
    for (const name of await readdir(target)) await rm(join(target, name), { recursive: true, force: true });
    if (isNew) await rm(target, { recursive: true, force: true });
    throw thrown;
  }
};

const storeOf = (dataDir: string, service: string): string => join(dataDir, service, 'store.sqlite');

const requireSqlite = (env: NodeJS.ProcessEnv): void => {
  const url = env.MILLRACE_STORE_URL;
  if (url === undefined || url === '') return;
  throw Invalid.field('MILLRACE_STORE_URL', 'names stores that this command does not copy', {
    hint: 'Back MongoDB up with its own tools, and the blobs with those of their store: docs/operations/backup.md.',
  });
};

const fill = async (options: CreateBackupOptions, services: readonly string[]): Promise<BackupManifest> => {
  const { dataDir, target, version, onProgress } = options;
  const frozen = freezeSqliteStores(services.map((name) => storeOf(dataDir, name)));
  const { cutAt, fenceMs } = frozen;
  onProgress(`${services.length} stores are frozen as of ${cutAt}; commits waited ${fenceMs.toFixed(1)} ms`);
  const stores = await copyStores(frozen, services, options);
  const { copied, absent } = await copyBlobs(options, stores);
  await writeDurably(join(target, blobListFile), writeBlobList(copied));
  const deadLetters = await copyLetters(options, cutAt);
  const manifest: BackupManifest = {
    format: backupFormat,
    version,
    cutAt,
    createdAt: new Date().toISOString(),
    fenceMs: Math.round(fenceMs * 10) / 10,
    stores,
    blobs: {
      ...(await describeFile(target, blobListFile)),
      count: copied.length,
      totalBytes: copied.reduce((sum, { size }) => sum + size, 0),
    },
    absentDigests: absent,
    ...(deadLetters === undefined ? {} : { deadLetters }),
  };
  await writeManifest(target, manifest);
  return manifest;
};

const copyStores = async (
  frozen: FrozenStores,
  services: readonly string[],
  { target, onProgress }: CreateBackupOptions,
): Promise<readonly BackedUpStore[]> => {
  await mkdir(join(target, 'stores'), { mode: 0o700 });
  const copies: BackedUpStore[] = [];
  try {
    for (const [index, service] of services.entries()) {
      const path = `stores/${service}.sqlite`;
      await frozen.stores[index]?.copyTo(join(target, path));
      const file = await describeFile(target, path);
      copies.push({ service, ...file });
      onProgress(`store of ${service}: ${(file.bytes / 1e6).toFixed(1)} MB`);
    }
    return copies;
  } finally {
    frozen.close();
  }
};

const digestPattern = /sha256:[0-9a-f]{64}(?![0-9a-f])/g;

const digestsNamedIn = (target: string, stores: readonly BackedUpStore[]): ReadonlySet<string> => {
  const named = new Set<string>();
  for (const { path } of stores) {
    for (const text of textsOfSqliteStore(join(target, path))) {
      for (const [digest] of text.matchAll(digestPattern)) named.add(digest);
    }
  }
  return named;
};

/** Where the blobs of a data directory are. */
export const openInstallationBlobs = (dataDir: string, env: NodeJS.ProcessEnv): Promise<BlobStore> =>
  openBlobStore({ url: env.MILLRACE_BLOBS_URL || `fs:${join(dataDir, 'blobs')}`, dataDir });

/** All blobs, also those that nothing names yet: an upload that was acknowledged is kept as well. */
const copyBlobs = async (
  { dataDir, target, env, onProgress }: CreateBackupOptions,
  stores: readonly BackedUpStore[],
): Promise<{ readonly copied: readonly BlobInfo[]; readonly absent: number }> => {
  const from = await openInstallationBlobs(dataDir, env);
  const to = await openBackupBlobs(target);
  try {
    const copied = new Map<string, BlobInfo>();
    const copy = async (digest: Digest): Promise<void> => {
      const info = copied.has(digest) ? undefined : await copyBlob(from, to, digest);
      if (info === undefined) return;
      copied.set(digest, info);
      if (copied.size % reportEvery === 0) onProgress(`${copied.size} blobs`);
    };
    for (let cursor: string | undefined; ; ) {
      const page = await from.list({ limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
      for (const { digest } of page.items) await copy(digest);
      cursor = page.nextCursor;
      if (cursor === undefined) break;
    }
    // Those that are aside as garbage are not listed; a store may name one all the same.
    const named = digestsNamedIn(target, stores);
    for (const digest of named) await copy(digest as Digest);
    const list = [...copied.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    onProgress(`${list.length} blobs`);
    return { copied: list, absent: [...named].filter((digest) => !copied.has(digest)).length };
  } finally {
    await from.close();
    await to.close();
  }
};

const copyLetters = async (
  { dataDir, target, natsUrl, env, onProgress }: CreateBackupOptions,
  cutAt: string,
): Promise<BackupManifest['deadLetters']> => {
  if (natsUrl === undefined) {
    onProgress('no broker runs: dead letters are not in the backup');
    return undefined;
  }
  const bus = await connectToBroker(natsUrl, dataDir, env).catch((thrown: unknown) => {
    throw new FailedPrecondition(`dead letters cannot be read: ${messageOf(thrown)}`, {
      hint: 'Mend the broker, or take the backup without it: --no-broker.',
    });
  });
  try {
    const copies = await copyDeadLetters(bus, cutAt);
    await mkdir(dirname(join(target, deadLetterFile)), { recursive: true, mode: 0o700 });
    await writeDurably(
      join(target, deadLetterFile),
      copies.map((copy) => `${JSON.stringify(copy)}\n`).join(''),
    );
    onProgress(`${copies.length} messages of the stream DEAD`);
    return { ...(await describeFile(target, deadLetterFile)), count: copies.length };
  } finally {
    await bus.drain();
  }
};
