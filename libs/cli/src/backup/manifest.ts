import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FailedPrecondition, Invalid, messageOf } from '@millrace/errors';

/** Highest layout of a backup's directory that is read; one with a higher number was made by newer code. */
const newestFormat = 2;

/** Where the stores were: copies of one kind are not restored into the other. */
export type StoreKind = 'sqlite' | 'mongodb';

/** Format 2 has stores that code which knows only format 1 would take for files of SQLite. */
export const formatOf = (kind: StoreKind): number => (kind === 'sqlite' ? 1 : 2);

export interface BackedUpFile {
  /** Relative to the backup's directory, `/`-separated. */
  readonly path: string;
  readonly bytes: number;
  /** `sha256:…` of the content. */
  readonly digest: string;
}

export interface BackedUpStore extends BackedUpFile {
  readonly service: string;
  /** Default `sqlite`. */
  readonly kind?: StoreKind;
}

/** What a backup holds. Written last: a directory without it is no backup. */
export interface BackupManifest {
  readonly format: number;
  /** Of the Millrace that made it. */
  readonly version: string;
  /** ISO 8601: the moment that all stores show. */
  readonly cutAt: string;
  readonly createdAt: string;
  /** Milliseconds that commits waited for the cut. */
  readonly fenceMs: number;
  readonly stores: readonly BackedUpStore[];
  /** The list of blobs, each named by its digest, and how many there are. */
  readonly blobs: BackedUpFile & { readonly count: number; readonly totalBytes: number };
  /** Digests that the stores name and that no blob had: of what users have themselves, or of what is gone. */
  readonly absentDigests: number;
  /** Dead letters and the marks of those replayed; `undefined` when no broker answered. */
  readonly deadLetters?: BackedUpFile & { readonly count: number };
}

export const manifestFile = 'manifest.json';
const sealFile = 'manifest.json.sha256';
export const blobListFile = 'blobs.txt';
export const deadLetterFile = 'streams/DEAD.jsonl';

export const storeKindOf = ({ stores }: BackupManifest): StoreKind => stores[0]?.kind ?? 'sqlite';

/** Describes a file of the backup as it is on disk. */
export const describeFile = async (directory: string, path: string): Promise<BackedUpFile> => {
  const file = join(directory, path);
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return { path, bytes: (await stat(file)).size, digest: `sha256:${hash.digest('hex')}` };
};

/** Writes a file that is on the disk when this resolves. */
export const writeDurably = async (file: string, content: string): Promise<void> => {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const sealOf = (text: string): string =>
  `${createHash('sha256').update(text).digest('hex')}  ${manifestFile}\n`;

/** Completes a backup. */
export const writeManifest = async (directory: string, manifest: BackupManifest): Promise<void> => {
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await writeDurably(join(directory, sealFile), sealOf(text));
  await writeDurably(join(directory, manifestFile), text);
};

/**
 * Reads what a backup says of itself. Throws `Invalid` when the directory is no complete backup, `FailedPrecondition`
 * when the manifest was changed or is of a newer format.
 */
export const readManifest = async (directory: string): Promise<BackupManifest> => {
  const text = await readFile(join(directory, manifestFile), 'utf8').catch((thrown: unknown) => {
    throw new Invalid(`${directory} is no complete backup: ${messageOf(thrown)}`, {
      hint: 'A backup that was interrupted has no manifest.json: make it again.',
    });
  });
  const seal = await readFile(join(directory, sealFile), 'utf8').catch(() => '');
  if (seal !== sealOf(text)) throw damaged(manifestFile, `it is not what ${sealFile} says`);
  const manifest = JSON.parse(text) as BackupManifest;
  if (manifest.format > newestFormat) {
    throw new FailedPrecondition(
      `the backup has format ${manifest.format}, made by Millrace ${manifest.version}; this one reads up to ${newestFormat}`,
      { hint: 'Restore it with the version that made it, or a newer one.' },
    );
  }
  return manifest;
};

export const damaged = (path: string, how: string): FailedPrecondition =>
  new FailedPrecondition(`the backup is damaged: ${path}: ${how}`, {
    details: { file: path },
    hint: 'Nothing was changed. Use another backup, or another copy of this one.',
  });
