import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * A directory for what Millrace keeps for this user and can make again: `${XDG_CACHE_HOME:-~/.cache}/millrace/…`. Loads
 * nothing, so that a program can ask for it before anything else.
 */
export const userCacheDirectory = (env: NodeJS.ProcessEnv, ...below: readonly string[]): string =>
  join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'millrace', ...below);
