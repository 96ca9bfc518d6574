import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BlobInfo, type BlobStore, type Digest, openBlobStore } from '@millrace/blobs';
import { copyDeadLetters } from '@millrace/bus';
import { Conflict, FailedPrecondition, messageOf, NotFound } from '@millrace/errors';
import { copyBlob, openBackupBlobs, writeBlobList } from './blob-list.ts';
import { connectToBroker } from './broker-access.ts';
import {
  type BackedUpStore,
  type BackupManifest,
  blobListFile,
  deadLetterFile,
  describeFile,
  formatOf,
  type StoreKind,
  writeDurably,
  writeManifest,
} from './manifest.ts';
import { freezeStores, type StoreSource } from './store-source.ts';

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
  /** No service runs, says the operator: only for stores in a MongoDB that gives no snapshot. Default false. */
  readonly stopped?: boolean;
  readonly onProgress: (message: string) => void;
}

const reportEvery = 1_000;

/**
 * Copies all stores as of one moment, then every blob, then the dead letters, while services go on. Whatever the stores
 * name was put before, and is not removed for good before the grace of garbage is over, so that the blobs may be copied
 * afterwards (ADR 23). Leaves nothing behind when it fails.
 */
export const createBackup = async (options: CreateBackupOptions): Promise<BackupManifest> => {
  const { target } = options;
  const isNew = !existsSync(target);
  if (!isNew && (await readdir(target)).length > 0) {
    throw new Conflict(`${target} is not empty`, { hint: 'A backup needs a directory of its own.' });
  }
  const source = await freezeStores({ stopped: false, ...options });
  try {
    if (source.services.length === 0) throw noStores(options.dataDir, source.kind);
    await mkdir(target, { recursive: true, mode: 0o700 });
    return await fill(options, source);
  } catch (thrown) {
    await removeContent(target, isNew);
    throw thrown;
  } finally {
    await source.close();
  }
};

const noStores = (dataDir: string, kind: StoreKind): NotFound =>
  kind === 'sqlite'
    ? new NotFound(`there is no store in ${dataDir}`, { hint: 'Name the data directory with --data-dir.' })
    : new NotFound('there is no store in MongoDB', {
        hint: 'See MILLRACE_STORE_URL, and whether the user may read the databases millrace_<service>.',
      });

const removeContent = async (target: string, isNew: boolean): Promise<void> => {
  if (!existsSync(target)) return;
  for (const name of await readdir(target)) await rm(join(target, name), { recursive: true, force: true });
  if (isNew) await rm(target, { recursive: true, force: true });
};

const fill = async (options: CreateBackupOptions, source: StoreSource): Promise<BackupManifest> => {
  const { target, version, onProgress } = options;
  const { kind, services, cutAt, fenceMs } = source;
  onProgress(`${services.length} stores are frozen as of ${cutAt}; commits waited ${fenceMs.toFixed(1)} ms`);
  const stores = await copyStores(source, options);
  const { copied, absent } = await copyBlobs(options, await digestsNamedIn(target, stores, source));
  await writeDurably(join(target, blobListFile), writeBlobList(copied));
  const deadLetters = await copyLetters(options, cutAt);
  const manifest: BackupManifest = {
    format: formatOf(kind),
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
  source: StoreSource,
  { target, onProgress }: CreateBackupOptions,
): Promise<readonly BackedUpStore[]> => {
  await mkdir(join(target, 'stores'), { mode: 0o700 });
  const copies: BackedUpStore[] = [];
  for (const service of source.services) {
    const path = `stores/${service}.${source.extension}`;
    await source.copyTo(service, join(target, path));
    const file = await describeFile(target, path);
    copies.push({ service, ...(source.kind === 'sqlite' ? {} : { kind: source.kind }), ...file });
    onProgress(`store of ${service}: ${(file.bytes / 1e6).toFixed(1)} MB`);
  }
  await source.check();
  // What the snapshot holds back, logs or versions, need not be held for the time of the blobs.
  await source.close();
  return copies;
};

const digestPattern = /sha256:[0-9a-f]{64}(?![0-9a-f])/g;

const digestsNamedIn = async (
  target: string,
  stores: readonly BackedUpStore[],
  { textsOf }: StoreSource,
): Promise<ReadonlySet<string>> => {
  const named = new Set<string>();
  for (const { path } of stores) {
    for await (const text of textsOf(join(target, path))) {
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
  named: ReadonlySet<string>,
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
