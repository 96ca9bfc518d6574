import { join } from 'node:path';
import { type BlobStore, parseDigest } from '@millrace/blobs';
import { type ManifestFile, manifestOf, type PackageFiles } from '@millrace/modeling';

/** A package in the blob store. */
export interface StoredPackage {
  /** Of its manifest: the identity of the package. */
  readonly digest: string;
  /** Bytes of the manifest. */
  readonly size: number;
  /** Bytes of all files. */
  readonly totalBytes: number;
}

const totalOf = (files: readonly ManifestFile[]): number => files.reduce((sum, { size }) => sum + size, 0);

/** Stores files that a job laid out below `directory/files`, the manifest last: without it there is no package. */
export const storePackageDirectory = async (
  blobs: BlobStore,
  directory: string,
  laidOut: { readonly digest: string; readonly size: number; readonly files: readonly ManifestFile[] },
): Promise<StoredPackage> => {
  for (const { path, digest } of laidOut.files) {
    await blobs.put({ file: join(directory, 'files', path) }, { expected: parseDigest(digest) });
  }
  await blobs.put({ file: join(directory, 'manifest.json') }, { expected: parseDigest(laidOut.digest) });
  return { digest: laidOut.digest, size: laidOut.size, totalBytes: totalOf(laidOut.files) };
};

/** The same for a few small files in memory. */
export const storePackageFiles = async (blobs: BlobStore, files: PackageFiles): Promise<StoredPackage> => {
  for (const bytes of files.values()) await blobs.put(bytes);
  const { manifest, bytes, digest } = manifestOf(files);
  await blobs.put(bytes, { expected: parseDigest(digest) });
  return { digest, size: bytes.length, totalBytes: totalOf(manifest.files) };
};
