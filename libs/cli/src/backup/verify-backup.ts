import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobStore, Digest } from '@millrace/blobs';
import { messageOf } from '@millrace/errors';
import { openBackupBlobs, readBlobList } from './blob-list.ts';
import { type BackedUpFile, type BackupManifest, damaged, describeFile, readManifest } from './manifest.ts';

/** Compares every file of a backup with its manifest. Throws `FailedPrecondition` that names the first damaged one. */
export const verifyBackup = async (
  directory: string,
  onProgress: (message: string) => void,
): Promise<BackupManifest> => {
  const manifest = await readManifest(directory);
  const { stores, blobs, deadLetters } = manifest;
  for (const file of [...stores, blobs, ...(deadLetters === undefined ? [] : [deadLetters])]) {
    await verifyFile(directory, file);
  }
  onProgress(`${stores.length} stores are as they were written`);
  const copies = await openBackupBlobs(directory);
  try {
    for (const { digest, size } of await readBlobList(directory)) await verifyBlob(copies, digest, size);
  } finally {
    await copies.close();
  }
  onProgress(`${blobs.count} blobs are what their names say`);
  return manifest;
};

const verifyFile = async (directory: string, { path, bytes, digest }: BackedUpFile): Promise<void> => {
  const found = await stat(join(directory, path)).catch((thrown: unknown) => {
    throw damaged(path, messageOf(thrown));
  });
  if (found.size !== bytes) throw damaged(path, `it has ${found.size} bytes, not ${bytes}`);
  if ((await describeFile(directory, path)).digest !== digest) throw damaged(path, 'its content was changed');
};

const verifyBlob = async (blobs: BlobStore, digest: Digest, size: number): Promise<void> => {
  try {
    let read = 0;
    for await (const chunk of await blobs.get(digest)) read += (chunk as Uint8Array).length;
    if (read !== size) throw damaged(`blobs, ${digest}`, `it has ${read} bytes, not ${size}`);
  } catch (thrown) {
    throw damaged(`blobs, ${digest}`, messageOf(thrown));
  }
};
