import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BlobStore, parseDigest } from '@millrace/blobs';
import { describesModel, parseManifest } from '@millrace/modeling';
import type { PackageOnDisk } from '../jobs/measure.job.ts';

const maxManifestBytes = 16 * 1024 * 1024;

/** Makes a blob readable at `path`, which is returned. */
export const layOutBlob = async (blobs: BlobStore, digest: string, path: string): Promise<string> => {
  await blobs.materialize(parseDigest(digest), path, { as: 'link' });
  return path;
};

/** Lays the files of a model package out below `directory`; the manifest's paths were checked to stay within. */
export const layOutPackage = async (
  blobs: BlobStore,
  manifestDigest: string,
  directory: string,
): Promise<PackageOnDisk> => {
  const { files } = parseManifest(await blobs.read(parseDigest(manifestDigest), maxManifestBytes));
  // One after the other: links are quick, and nothing is still being written when one of them fails.
  for (const { path, digest } of files) {
    const local = join(directory, path);
    await mkdir(dirname(local), { recursive: true });
    await layOutBlob(blobs, digest, local);
  }
  return { directory, paths: files.map(({ path }) => path) };
};

/** What a laid out package says of its model, by path. */
export const readDescription = async ({
  directory,
  paths,
}: PackageOnDisk): Promise<ReadonlyMap<string, Uint8Array>> =>
  new Map(
    await Promise.all(
      paths
        .filter(describesModel)
        .map(async (path) => [path, await readFile(join(directory, path))] as const),
    ),
  );
