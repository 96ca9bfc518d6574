import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobInfo, type BlobStore, type Digest, openFsBlobStore, parseDigest } from '@millrace/blobs';
import { blobListFile } from './manifest.ts';

/** Blobs beside the stores of a backup, in the layout of the file-system adapter. */
export const openBackupBlobs = (directory: string): Promise<BlobStore> =>
  openFsBlobStore({ directory: join(directory, 'blobs') });

export const writeBlobList = (blobs: readonly BlobInfo[]): string =>
  blobs.map(({ digest, size }) => `${digest} ${size}\n`).join('');

export const readBlobList = async (directory: string): Promise<readonly BlobInfo[]> => {
  const text = await readFile(join(directory, blobListFile), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [digest = '', size = ''] = line.split(' ');
      return { digest: parseDigest(digest, blobListFile), size: Number(size) };
    });
};

/** Copies a blob, comparing it with its name on the way. `undefined` when the source has none. */
export const copyBlob = async (
  from: BlobStore,
  to: BlobStore,
  digest: Digest,
): Promise<BlobInfo | undefined> => {
  // Asking takes back a blob that was put aside as garbage.
  if ((await from.has(digest)) === undefined) return undefined;
  return to.put(await from.get(digest), { expected: digest });
};
