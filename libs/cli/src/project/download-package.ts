import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { MillraceClient } from '@millrace/client';
import { Conflict, Internal } from '@millrace/errors';
import { parseManifest } from '@millrace/modeling/manifest';

/** Blobs of one package that are fetched at once. */
const parallel = 4;

/** Fetches a blob into a file. Throws `Internal` when it is not what its digest says. */
export const downloadFile = async (client: MillraceClient, digest: string, path: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  const hashed = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(await client.downloadBlob(digest), hashed, createWriteStream(path));
  if (`sha256:${hash.digest('hex')}` !== digest) {
    throw new Internal(`${basename(path)} did not arrive as it was stored: it does not match ${digest}`);
  }
};

/** Fetches the files of a package, by the digest of its manifest, into a directory. */
export const downloadPackage = async (
  client: MillraceClient,
  digest: string,
  directory: string,
): Promise<void> => {
  const { files } = parseManifest(await buffer(await client.downloadBlob(digest)));
  const queue = [...files];
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      await downloadFile(client, file.digest, join(directory, file.path));
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
};

/**
 * The same into a directory of the user's, which is there whole or not at all.
 *
 * @throws Conflict when there is something already
 */
export const exportPackage = async (
  client: MillraceClient,
  digest: string,
  directory: string,
): Promise<void> => {
  const target = resolve(directory);
  await requireFree(target, directory);
  const partial = `${target}.${process.pid}.partial`;
  try {
    await downloadPackage(client, digest, partial);
    await rename(partial, target);
  } catch (thrown) {
    await rm(partial, { recursive: true, force: true });
    throw thrown;
  }
};

/** An empty directory gives way to the one that takes its place. */
const requireFree = async (target: string, directory: string): Promise<void> => {
  const isFree = await readdir(target).then(
    (entries) => entries.length === 0,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
  if (isFree) return;
  throw new Conflict(`${directory} is there already`, {
    violations: [{ path: 'directory', message: 'is there already' }],
    hint: 'Give a directory that is not there yet, or is empty.',
  });
};
