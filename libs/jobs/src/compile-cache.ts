import { userCacheDirectory } from './user-cache.ts';

/**
 * Where Node keeps our sources compiled, so that each program and each of our children does not strip and compile them
 * anew. Children with limited permissions cannot use it, since Node wants to write there, and what user code could write
 * must not become the code of others.
 */
export const compileCacheDirectory = (env: NodeJS.ProcessEnv = process.env): string =>
  userCacheDirectory(env, 'node');
