import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where environments are kept: `MILLRACE_PYTHON_DIR`, else `${XDG_CACHE_HOME:-~/.cache}/millrace/python`. */
export const cacheDirectory = (env: NodeJS.ProcessEnv = process.env): string =>
  env.MILLRACE_PYTHON_DIR
    ? resolve(env.MILLRACE_PYTHON_DIR)
    : join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'millrace', 'python');
