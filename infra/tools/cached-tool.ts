import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { userCacheDirectory } from '@millrace/jobs';

const execute = promisify(execFile);

/** Runs a program to its end; what it printed is in the error when it fails. */
export const run = async (
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> => (await execute(program, args, { ...options, maxBuffer: 64 * 1024 * 1024 })).stdout;

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * The directory of a tool in the user's cache, filled by `make` when it is not there yet. Several processes may ask
 * at once: each fills a draft of its own, and the first to finish is kept.
 */
export const cachedTool = async (
  name: string,
  version: string,
  make: (directory: string) => Promise<void>,
): Promise<string> => {
  const parent = userCacheDirectory(process.env, name);
  const target = join(parent, version);
  if (await exists(target)) return target;
  const draft = `${target}.${process.pid}`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  try {
    await make(draft);
    await rename(draft, target).catch(async (thrown: unknown) => {
      if (!(await exists(target))) throw thrown;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return target;
};

/** @throws Error when a file is not the one that was pinned */
export const checkSha256 = async (file: string, expected: string): Promise<void> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const found = hash.digest('hex');
  if (found !== expected) throw new Error(`${file} has the SHA-256 ${found}, not the pinned ${expected}`);
};
