import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, Unavailable } from '@millrace/errors';
import { userCacheDirectory, withFileLock } from '@millrace/jobs';
import { findOnPath, isExecutable, serverFileName, versionOf } from './executable.ts';
import type { OnProgress } from './progress.ts';
import { downloadRelease, officialReleases } from './release.ts';
import { pinnedVersion } from './version.ts';

const run = promisify(execFile);

/** A build from source on a slow machine with an empty module cache takes some minutes. */
const installTimeoutMs = 15 * 60_000;

export interface InstallOptions {
  /** Default `process.env`; read for `PATH`, `XDG_CACHE_HOME` and `HOME`. */
  readonly env?: NodeJS.ProcessEnv;
  readonly onProgress?: OnProgress;
  /** Base address of the releases; default the project's own. For mirrors. */
  readonly releasesUrl?: string;
}

/** Where the pinned version is kept: `${XDG_CACHE_HOME:-~/.cache}/millrace/nats-server/<version>/`. */
export const cacheDirectory = (env: NodeJS.ProcessEnv = process.env): string =>
  userCacheDirectory(env, 'nats-server', pinnedVersion);

/** Path of the cached server, whether or not it exists. */
export const cachedServer = (env: NodeJS.ProcessEnv = process.env): string =>
  join(cacheDirectory(env), serverFileName);

/**
 * Installs the pinned server into the cache: the official release, or a build by `go install` where the
 * release cannot be reached. Several processes may call it at once; one installs, the others wait for it.
 * A half-finished install is never seen. Throws `Unavailable` naming both reasons when neither way works.
 */
export const installNatsServer = async (options: InstallOptions = {}): Promise<string> => {
  const env = options.env ?? process.env;
  const onProgress = options.onProgress ?? (() => {});
  const target = cachedServer(env);
  const directory = cacheDirectory(env);
  await mkdir(directory, { recursive: true });
  const onWait = () =>
    onProgress({ phase: 'waiting', message: 'another process is installing nats-server: waiting for it' });
  return withFileLock(join(directory, 'install.lock'), { timeoutMs: installTimeoutMs, onWait }, async () => {
    if (await isExecutable(target)) return target;
    const work = await mkdtemp(join(directory, 'install-'));
    try {
      const built = await obtain(work, env, options.releasesUrl ?? officialReleases, onProgress);
      await rename(built, target);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    onProgress({ phase: 'done', message: `nats-server ${pinnedVersion} is in ${directory}` });
    return target;
  });
};

const obtain = async (
  work: string,
  env: NodeJS.ProcessEnv,
  releasesUrl: string,
  onProgress: OnProgress,
): Promise<string> => {
  try {
    return await checked(await downloadRelease(pinnedVersion, work, releasesUrl, onProgress));
  } catch (downloadFailure) {
    // A wrong checksum is no reason to fall back silently: somebody should look at it.
    if (!(downloadFailure instanceof Unavailable)) throw downloadFailure;
    try {
      return await checked(await buildWithGo(work, env, onProgress));
    } catch (buildFailure) {
      throw new Unavailable(
        `nats-server ${pinnedVersion} could not be installed: ${messageOf(downloadFailure)}; ${messageOf(buildFailure)}`,
        { cause: buildFailure, hint: installHint },
      );
    }
  }
};

const installHint =
  'Put nats-server 2.11 or newer on PATH, or set NATS_URL to a running server. ' +
  "Debian 12's own package (2.9.10) is a last resort: it has no sync_interval and lacks fixes, " +
  'so it is only used when you start it yourself and set NATS_URL.';

const buildWithGo = async (work: string, env: NodeJS.ProcessEnv, onProgress: OnProgress): Promise<string> => {
  const go = await findOnPath(process.platform === 'win32' ? 'go.exe' : 'go', env);
  if (go === undefined) throw new Unavailable('Go is not on PATH, so it cannot be built either');
  onProgress({ phase: 'building', message: `building nats-server ${pinnedVersion} with Go` });
  await run(go, ['install', `github.com/nats-io/nats-server/v2@v${pinnedVersion}`], {
    env: { ...env, GOBIN: work, GOFLAGS: '' },
    timeout: installTimeoutMs,
    maxBuffer: 16 * 1024 * 1024,
  });
  return join(work, serverFileName);
};

const checked = async (executable: string): Promise<string> => {
  const version = await versionOf(executable);
  if (version !== pinnedVersion) {
    throw new Unavailable(`the installed server says it is version ${version ?? 'unknown'}`);
  }
  return executable;
};
