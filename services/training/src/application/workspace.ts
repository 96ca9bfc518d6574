import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BlobStore, parseDigest } from '@millrace/blobs';
import {
  type ManifestFile,
  manifestMediaType,
  type PackagedTransform,
  parseManifest,
} from '@millrace/modeling';
import type { StoredPackage } from './store-package.ts';

const maxManifestBytes = 16 * 1024 * 1024;

/** Runs `work` with a fresh directory that is removed whatever happens. */
export const inWorkspace = async <T>(
  tempDir: string,
  work: (directory: string) => Promise<T>,
): Promise<T> => {
  await mkdir(tempDir, { recursive: true });
  // The real path: places in user code are found by it.
  const directory = await realpath(await mkdtemp(join(tempDir, 'step-')));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

/** Makes a blob readable at `path`, which is returned. */
export const layOutBlob = async (blobs: BlobStore, digest: string, path: string): Promise<string> => {
  await blobs.materialize(parseDigest(digest), path, { as: 'link' });
  return path;
};

/** A fitted transform on disk. */
export interface LaidOutTransform {
  readonly definition: PackagedTransform;
  readonly directory: string;
  /** Of user code, relative to `directory/code`. */
  readonly codeFiles: readonly string[];
}

/** Lays the files of a package out; the manifest's paths were checked to stay within. */
export const layOutPackage = async (
  blobs: BlobStore,
  manifestDigest: string,
  directory: string,
): Promise<readonly ManifestFile[]> => {
  const { files } = parseManifest(await blobs.read(parseDigest(manifestDigest), maxManifestBytes));
  for (const { path, digest } of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await layOutBlob(blobs, digest, join(directory, path));
  }
  return files;
};

/** Lays a built-in transform, or one in TypeScript, out. */
export const layOutTransform = async (
  blobs: BlobStore,
  manifestDigest: string,
  directory: string,
): Promise<LaidOutTransform> => {
  const files = await layOutPackage(blobs, manifestDigest, directory);
  const definition = JSON.parse(
    await readFile(join(directory, 'transform.json'), 'utf8'),
  ) as PackagedTransform;
  return { definition, directory, codeFiles: codeFilesOf(files) };
};

const codeFilesOf = (files: readonly ManifestFile[]): string[] =>
  files.flatMap(({ path }) => (path.startsWith('code/') ? [path.slice('code/'.length)] : []));

/** The output artifact of a package. */
export const packageArtifact = (
  name: string,
  kind: string,
  { digest, size }: StoredPackage,
  attributes: Record<string, string>,
) => ({ name, kind, digest, size, mediaType: manifestMediaType, attributes });

/** Writes a file, making its directory. */
export const writeInto = async (directory: string, path: string, content: string): Promise<void> => {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), content);
};
