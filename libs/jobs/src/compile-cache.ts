import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where Node keeps the sources of our own children compiled, so that each does not strip and compile them anew:
 * `${XDG_CACHE_HOME:-~/.cache}/millrace/node`. Children with limited permissions cannot use it, since Node wants to
 * write there, and what user code could write must not become the code of others.
 */
export const compileCacheDirectory = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'millrace', 'node');
