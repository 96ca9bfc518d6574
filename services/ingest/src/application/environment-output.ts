import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { BlobStore } from '@millrace/blobs';
import type { Artifact } from '@millrace/contracts/step';
import type { PythonEnvironment } from '@millrace/python-runtime';

/**
 * Records the environment of a run as an output of its first step: the later steps build the same one from its lock,
 * and a year later somebody else can. Packages of the project's own are in it as they were built. It holds no path and
 * no time, so that the same lock is the same output.
 */
export const environmentOutput = async (
  blobs: BlobStore,
  { pythonVersion, platform, lock, lockDigest, packages, wheels }: PythonEnvironment,
): Promise<Partial<Artifact>> => {
  const built = await Promise.all(
    wheels.map(async (path) => [basename(path), await readFile(path, 'base64')]),
  );
  const recorded = JSON.stringify({
    pythonVersion,
    platform,
    lock,
    lockDigest,
    packages,
    ...(built.length === 0 ? {} : { wheels: Object.fromEntries(built) }),
  });
  const { digest, size } = await blobs.put(Buffer.from(recorded));
  return {
    name: 'environment',
    kind: 'environment',
    id: lockDigest,
    digest,
    size,
    mediaType: 'application/json',
    attributes: { python: pythonVersion, platform, packages: String(Object.keys(packages).length) },
  };
};
