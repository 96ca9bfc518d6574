import { randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { TimedOut } from '@millrace/errors';
import { identityOf } from './process-identity.ts';

const pollMs = 200;

export interface LockOptions {
  /** How long to wait for another holder. */
  readonly timeoutMs: number;
  /** Called once, before the first wait. */
  readonly onWait?: () => void;
  /** Ends the waiting, with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Runs `work` while holding a lock file, across processes. The file names its holder, so that the lock of a
 * process that died is taken over. Two that take over at the same moment may both get in: use it to save
 * work, not to guard what must not happen twice. Throws `TimedOut` when a living holder keeps it too long.
 */
export const withFileLock = async <T>(
  path: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> => {
  await acquire(path, options);
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
};

const acquire = async (path: string, { timeoutMs, onWait, signal }: LockOptions): Promise<void> => {
  const deadline = performance.now() + timeoutMs;
  let waited = false;
  while (!(await tryCreate(path))) {
    signal?.throwIfAborted();
    if (await holderIsGone(path)) {
      await rm(path, { force: true });
      continue;
    }
    if (!waited) onWait?.();
    waited = true;
    if (performance.now() > deadline) {
      throw new TimedOut(`another process holds ${path}`, {
        hint: 'Wait for it to finish, or delete the file if no such process runs.',
      });
    }
    await delay(pollMs);
  }
};

/** Complete from its first moment: written aside, then linked, which fails when the lock exists. */
const tryCreate = async (path: string): Promise<boolean> => {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify({ pid: process.pid, identity: identityOf(process.pid) }));
  try {
    await link(draft, path);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  } finally {
    await rm(draft, { force: true });
  }
};

const holderIsGone = async (path: string): Promise<boolean> => {
  try {
    const holder = JSON.parse(await readFile(path, 'utf8')) as { pid: number; identity?: string };
    return identityOf(holder.pid) !== holder.identity;
  } catch {
    // Released meanwhile: the next attempt to create it tells.
    return false;
  }
};
