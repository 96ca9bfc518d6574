import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type BlobStore, parseDigest } from '@millrace/blobs';
import { type ManifestFile, manifestOf, manifestOfFiles, type PackageFiles } from '@millrace/modeling';

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

/** Stores everything below `directory` as a package, however large its files; the manifest last. */
export const storeDirectory = async (blobs: BlobStore, directory: string): Promise<StoredPackage> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files: ManifestFile[] = [];
  for (const entry of entries.filter((found) => found.isFile())) {
    const file = join(entry.parentPath, entry.name);
    files.push({ path: relative(directory, file).split(sep).join('/'), ...(await blobs.put({ file })) });
  }
  const { bytes, digest } = manifestOfFiles(files);
  await blobs.put(bytes, { expected: parseDigest(digest) });
  return { digest, size: bytes.length, totalBytes: totalOf(files) };
};

/** The same for a few small files in memory. */
export const storePackageFiles = async (blobs: BlobStore, files: PackageFiles): Promise<StoredPackage> => {
  for (const bytes of files.values()) await blobs.put(bytes);
  const { manifest, bytes, digest } = manifestOf(files);
  await blobs.put(bytes, { expected: parseDigest(digest) });
  return { digest, size: bytes.length, totalBytes: totalOf(manifest.files) };
};

/** Stores a file that a job wrote; answers its artifact. */
export const storeFile = async (
  blobs: BlobStore,
  file: string,
  described: { readonly name: string; readonly kind: string; readonly mediaType: string },
) => ({ ...described, id: '', ...(await blobs.put({ file })), attributes: {} });

/** Stores a Parquet file that a job wrote. */
export const storeTable = (blobs: BlobStore, name: string, file: string) =>
  storeFile(blobs, file, { name, kind: 'table', mediaType: 'application/vnd.apache.parquet' });
