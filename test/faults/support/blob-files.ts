import { copyFile, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MillraceClient } from '@millrace/client';
import type { TestInstallation } from '../../support/installation.ts';

/** Where a blob's bytes are on disk. */
export const blobFile = ({ dataDir }: Pick<TestInstallation, 'dataDir'>, digest: string): string => {
  const hex = digest.replace(/^sha256:/, '');
  return join(dataDir, 'blobs', 'sha256', hex.slice(0, 2), hex.slice(2));
};

/** What becomes of a file, and how it is undone. */
export type Damage = (path: string, other: string) => Promise<void>;

/** Named ways in which stored bytes go wrong while nobody looks. */
export const damages: Readonly<Record<string, Damage>> = {
  truncated: async (path) => {
    const { length } = await readFile(path);
    await truncate(path, Math.floor(length / 2));
  },
  'bit-flipped': async (path) => {
    const bytes = await readFile(path);
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    await writeFile(path, bytes);
  },
  swapped: async (path, other) => {
    await writeFile(path, await readFile(other));
  },
  emptied: (path) => truncate(path, 0),
  missing: (path) => rm(path),
};

/** Keeps the file beside its place while `work` goes on with the damaged one, and puts it back. */
export const whileDamaged = async <T>(
  path: string,
  damage: () => Promise<void>,
  work: () => Promise<T>,
): Promise<T> => {
  const kept = `${path}.kept`;
  // A copy under the blob's own name: hard links would share the damage.
  await copyFile(path, kept);
  try {
    await rm(path);
    await copyFile(kept, path);
    await damage();
    return await work();
  } finally {
    await rename(kept, path);
  }
};

/** All bytes of a blob, as the public API gives them out; throws where it refuses or cuts them off. */
export const download = async (client: MillraceClient, digest: string): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(await client.downloadBlob(digest)));
