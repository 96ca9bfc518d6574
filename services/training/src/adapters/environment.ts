import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestOf, type ModelEnvironment, packageVersions } from '@millrace/modeling';
import { lockedPackages } from '../domain/locked-packages.ts';

const lockFile = 'package-lock.json';

/** What this process trains with. */
export const readEnvironment = async (): Promise<ModelEnvironment> => ({
  node: process.versions.node,
  platform: `${process.platform}-${process.arch}`,
  packages: packageVersions,
  lockDigest: await lockDigest(),
});

/** Of what the nearest lock file above this code fixes for a model; empty where the installation has none. */
const lockDigest = async (): Promise<string> => {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, lockFile))) {
    const parent = dirname(directory);
    if (parent === directory) return '';
    directory = parent;
  }
  const lock = JSON.parse(await readFile(join(directory, lockFile), 'utf8'));
  const locked = lockedPackages(lock, 'libs/modeling', Object.keys(packageVersions));
  return digestOf(new TextEncoder().encode(locked.join('\n')));
};
