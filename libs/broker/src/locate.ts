import { findOnPath, isExecutable, serverFileName, versionOf } from './executable.ts';
import { cachedServer, type InstallOptions, installNatsServer } from './install.ts';
import { isAtLeast, minimumVersion } from './version.ts';

export interface LocatedServer {
  readonly path: string;
  readonly source: 'path' | 'cache' | 'installed';
}

/**
 * Finds a usable `nats-server`, installing it when there is none: on PATH (2.11 or newer), in the cache,
 * then `installNatsServer`. `NATS_URL` is the caller's matter: see `ensureBroker`.
 */
export const locateNatsServer = async (options: InstallOptions = {}): Promise<LocatedServer> => {
  const env = options.env ?? process.env;
  const onPath = await findOnPath(serverFileName, env);
  if (onPath !== undefined && (await isRecent(onPath))) return { path: onPath, source: 'path' };
  const cached = cachedServer(env);
  if (await isExecutable(cached)) return { path: cached, source: 'cache' };
  return { path: await installNatsServer(options), source: 'installed' };
};

const isRecent = async (executable: string): Promise<boolean> => {
  const version = await versionOf(executable);
  return version !== undefined && isAtLeast(version, minimumVersion);
};
