import { randomUUID } from 'node:crypto';
import { link, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { TimedOut } from '@millrace/errors';
import { identityOf } from './process-identity.ts';

const pollMs = 200;
/** How often a holder shows that it lives to those that cannot see its process. */
const signMs = 5_000;

export interface LockOptions {
  /** How long to wait for another holder. */
  readonly timeoutMs: number;
  /** Called once, before the first wait. */
  readonly onWait?: () => void;
  /** Ends the waiting, with its reason. */
  readonly signal?: AbortSignal;
  /** After this time without a sign of life a holder on another machine counts as gone; default a minute. */
  readonly silenceMs?: number;
}

interface Holder {
  readonly pid: number;
  readonly identity?: string;
  readonly host: string;
}

/**
 * Runs `work` while holding a lock file, across processes. The file names its holder, so that the lock of a
 * process that died is taken over. Processes of other machines and containers that share the directory count:
 * a holder there is known by its signs of life. Two that take over at the same moment may both get in: use it to save
 * work, not to guard what must not happen twice. Throws `TimedOut` when a living holder keeps it too long.
 */
export const withFileLock = async <T>(
  path: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> => {
  await acquire(path, options);
  const signs = setInterval(() => void showSign(path), signMs).unref();
  try {
    return await work();
  } finally {
    clearInterval(signs);
    await rm(path, { force: true });
  }
};

const acquire = async (
  path: string,
  { timeoutMs, onWait, signal, silenceMs = 60_000 }: LockOptions,
): Promise<void> => {
  const deadline = performance.now() + timeoutMs;
  const silence = new Silence(path);
  let waited = false;
  while (!(await tryCreate(path))) {
    signal?.throwIfAborted();
    if (await holderIsGone(path, silence, silenceMs)) {
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
  const holder = { pid: process.pid, identity: identityOf(process.pid), host: hostname() };
  await writeFile(draft, JSON.stringify(holder));
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

const holderIsGone = async (path: string, silence: Silence, silenceMs: number): Promise<boolean> => {
  try {
    const holder = JSON.parse(await readFile(path, 'utf8')) as Holder;
    if (holder.host === hostname()) return identityOf(holder.pid) !== holder.identity;
    return (await silence.lastedMs()) > silenceMs;
  } catch {
    // Released meanwhile: the next attempt to create it tells.
    return false;
  }
};

const showSign = async (path: string): Promise<void> => {
  const now = new Date();
  // Without the file there is nobody who waits for it.
  await utimes(path, now, now).catch(() => {});
};

/** For how long a file has not been touched, by the clock of this process: those of machines differ. */
class Silence {
  readonly #path: string;
  #touchedMs = Number.NaN;
  #since = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Since the first call that saw the file as it is now. */
  async lastedMs(): Promise<number> {
    const { mtimeMs } = await stat(this.#path);
    if (mtimeMs !== this.#touchedMs) {
      this.#touchedMs = mtimeMs;
      this.#since = performance.now();
    }
    return performance.now() - this.#since;
  }
}
