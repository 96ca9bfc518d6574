import { resolve } from 'node:path';
import { userCacheDirectory } from '@millrace/jobs';

/** Where environments are kept: `MILLRACE_PYTHON_DIR`, else `python` in the user's cache. */
export const cacheDirectory = (env: NodeJS.ProcessEnv = process.env): string =>
  env.MILLRACE_PYTHON_DIR ? resolve(env.MILLRACE_PYTHON_DIR) : userCacheDirectory(env, 'python');
