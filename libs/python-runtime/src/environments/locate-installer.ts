import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { withFileLock } from '@millrace/jobs';
import { runCommand } from './command.ts';
import type { Installer } from './installer.ts';
import { findInterpreter } from './interpreter.ts';
import { pipInstaller } from './pip-installer.ts';
import { uvInstaller } from './uv-installer.ts';

/** The release that is installed where there is none. */
const uvVersion = '0.13.9';
const installTimeoutMs = 10 * 60_000;

export interface LocateOptions {
  /** The cache, where a uv that is installed is kept. */
  readonly directory: string;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * The tool to use: the uv that MILLRACE_UV names or that is on PATH, else one installed from the package index into the
 * cache, else pip. `MILLRACE_UV=none` takes pip at once.
 */
export const locateInstaller = async (options: LocateOptions): Promise<Installer> => {
  const env = options.env ?? process.env;
  if (env.MILLRACE_UV === 'none') return pipInstaller;
  if (env.MILLRACE_UV) return uvInstaller(env.MILLRACE_UV);
  const onPath = await findOnPath('uv', env);
  if (onPath !== undefined) return uvInstaller(onPath);
  const installed = await installUv(options);
  return installed === undefined ? pipInstaller : uvInstaller(installed);
};

const findOnPath = async (name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> => {
  for (const directory of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    if (await isExecutable(join(directory, name))) return join(directory, name);
  }
  return undefined;
};

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** Installs uv with pip into the cache; undefined when that does not work. */
const installUv = async ({
  directory,
  onProgress,
  signal,
  env,
}: LocateOptions): Promise<string | undefined> => {
  const tools = join(directory, 'tools');
  const target = join(tools, `uv-${uvVersion}`);
  const uv = join(target, 'bin', 'uv');
  if (await isExecutable(uv)) return uv;
  await mkdir(tools, { recursive: true });
  const lock = { timeoutMs: installTimeoutMs, ...(signal === undefined ? {} : { signal }) };
  return withFileLock(join(tools, 'uv.lock'), lock, async () => {
    if (await isExecutable(uv)) return uv;
    onProgress(`installing uv ${uvVersion}`);
    const work = await mkdtemp(join(tools, 'installing-'));
    try {
      const interpreter = await findInterpreter(undefined, env === undefined ? {} : { env });
      const options = signal === undefined ? {} : { signal };
      const venv = await runCommand(interpreter.path, ['-m', 'venv', join(work, 'uv')], options);
      if (venv.code !== 0) return undefined;
      const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `uv==${uvVersion}`];
      const installed = await runCommand(join(work, 'uv', 'bin', 'python'), args, options);
      if (installed.code !== 0) return undefined;
      // uv is a program of its own: it does not mind that its environment moves.
      await rename(join(work, 'uv'), target);
      return uv;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
};
