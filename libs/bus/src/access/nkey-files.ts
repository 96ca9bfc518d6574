import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nkeys } from '@nats-io/transport-node';
import { type BusLogin, busLogins, type Proof } from './server-accounts.ts';

/** Path of a user's seed in a directory of keys. */
export const nkeyFileOf = (directory: string, user: BusLogin): string => join(directory, `${user}.nk`);

/**
 * Makes a key for each user that has none in the directory, readable by its owner alone, and returns the public halves
 * of all, which the server is given. To exchange a user's key, delete its file and call again.
 */
export const nkeyFiles = async (directory: string): Promise<Readonly<Record<BusLogin, Proof>>> => {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const proofs = await Promise.all(
    busLogins.map(async (user) => [user, { nkey: await publicKeyOf(nkeyFileOf(directory, user)) }] as const),
  );
  return Object.fromEntries(proofs) as Record<BusLogin, Proof>;
};

const publicKeyOf = async (file: string): Promise<string> => {
  await createSeed(file);
  return nkeys.fromSeed(await readFile(file)).getPublicKey();
};

const createSeed = async (file: string): Promise<void> => {
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(nkeys.createUser().getSeed());
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
  }
};
