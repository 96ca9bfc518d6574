import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Conflict } from '@millrace/errors';
import { identityOf } from '@millrace/jobs';

interface Owner {
  readonly ownerPid: number;
  readonly ownerIdentity: string | undefined;
  readonly serverPid: number;
  readonly serverIdentity: string | undefined;
}

const fileOf = (storeDir: string) => join(storeDir, 'owner.json');

/** Records who runs which server on the store, so that a leftover can be told from a neighbour. */
export const recordOwner = async (storeDir: string, serverPid: number): Promise<void> => {
  const owner: Owner = {
    ownerPid: process.pid,
    ownerIdentity: identityOf(process.pid),
    serverPid,
    serverIdentity: identityOf(serverPid),
  };
  await writeFile(fileOf(storeDir), JSON.stringify(owner));
};

export const forgetOwner = (storeDir: string): Promise<void> => rm(fileOf(storeDir), { force: true });

/**
 * Makes the store free for a new server: ends one whose owner is gone and waits until it is. Throws
 * `Conflict` when its owner lives, because two servers on one store destroy it.
 */
export const claimStore = async (storeDir: string): Promise<void> => {
  const owner = await readOwner(storeDir);
  if (owner === undefined || !isSame(owner.serverPid, owner.serverIdentity)) return;
  if (isSame(owner.ownerPid, owner.ownerIdentity)) {
    throw new Conflict(
      `${storeDir} is in use by nats-server ${owner.serverPid} of process ${owner.ownerPid}`,
      {
        hint: 'Stop that process first, or use another directory.',
      },
    );
  }
  await endLeftover(owner);
};

const readOwner = async (storeDir: string): Promise<Owner | undefined> => {
  try {
    return JSON.parse(await readFile(fileOf(storeDir), 'utf8')) as Owner;
  } catch {
    return undefined;
  }
};

const isSame = (pid: number, identity: string | undefined): boolean =>
  identity !== undefined && identityOf(pid) === identity;

const patienceMs = 10_000;

const endLeftover = async ({ serverPid, serverIdentity }: Owner): Promise<void> => {
  process.kill(serverPid, 'SIGTERM');
  const deadline = performance.now() + patienceMs;
  while (isSame(serverPid, serverIdentity)) {
    if (performance.now() > deadline) process.kill(serverPid, 'SIGKILL');
    await delay(20);
  }
};
