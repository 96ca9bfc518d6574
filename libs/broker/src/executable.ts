import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { parseVersion } from './version.ts';

const run = promisify(execFile);

const suffix = process.platform === 'win32' ? '.exe' : '';

/** File name of the server on this platform. */
export const serverFileName = `nats-server${suffix}`;

/** The first executable file of that name on `PATH`. */
export const findOnPath = async (name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> => {
  for (const directory of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const candidate = join(directory, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
};

export const isExecutable = async (path: string): Promise<boolean> => {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** What the executable says of itself; `undefined` when it cannot be run or prints no version. */
export const versionOf = async (executable: string): Promise<string | undefined> => {
  try {
    const { stdout, stderr } = await run(executable, ['--version'], { timeout: 10_000 });
    return parseVersion(stdout + stderr);
  } catch {
    return undefined;
  }
};
