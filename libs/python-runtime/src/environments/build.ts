import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Invalid } from '@millrace/errors';
import type { EnvironmentSpec, PythonEnvironment } from '../contract.ts';
import { pythonLibrary } from '../worker/python-process.ts';
import { type CommandOptions, runCommand } from './command.ts';
import type { Installer } from './installer.ts';
import type { Interpreter } from './interpreter.ts';
import { workerModules } from './pins.ts';
import { packagesOf } from './requirement-name.ts';
import { unresolvable } from './resolve.ts';
import { type Wheel, wheelsDirectory } from './wheels.ts';

/** Written last: a directory that has it is a whole environment. */
export const markerFile = 'millrace-environment.json';
/** What builds are named while they are under way: then the key's begin, the builder's process id, something random. */
export const buildingPrefix = '.building-';

/** What the marker holds. */
export interface Marker extends Omit<PythonEnvironment, 'python' | 'warnings' | 'wheels'> {
  /** ISO 8601. */
  readonly createdAt: string;
  /** Size on disk. Files that the package tool's cache shares by hard links are counted. */
  readonly bytes: number;
  /** Where Millrace's Python code was when it was linked into the environment. */
  readonly library: string;
}

export interface Build {
  readonly key: string;
  readonly lock: string;
  readonly lockDigest: string;
  readonly platform: string;
  readonly interpreter: Interpreter;
  readonly spec: EnvironmentSpec;
  readonly wheels: readonly Wheel[];
}

/**
 * Builds an environment into `target`. It appears there whole or not at all; of two that build the same, one is kept. Throws
 * `Invalid` when a package cannot be installed.
 */
export const buildEnvironment = async (
  build: Build,
  installer: Installer,
  target: string,
  options: CommandOptions,
): Promise<void> => {
  const parent = dirname(target);
  await mkdir(parent, { recursive: true });
  const work = await mkdtemp(join(parent, `${buildingPrefix}${build.key.slice(0, 8)}-${process.pid}-`));
  try {
    const place = join(work, 'environment');
    await layOutWheels(build.wheels, work);
    const request = {
      interpreter: build.interpreter,
      lock: build.lock,
      options: build.spec.options ?? [],
      target: place,
      directory: work,
    };
    const refusal = await installer.build(request, options);
    if (refusal !== undefined) throw unresolvable(build.spec, build.interpreter, refusal.reason);
    await checkImports(build, place, options);
    await moveScripts(join(place, 'bin'), place, target);
    await linkLibrary(place);
    await layOutWheels(build.wheels, place);
    await writeFile(join(place, markerFile), JSON.stringify(await markerOf(build, place)));
    await rename(place, target).catch(ignoreExisting);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
};

/** Into `wheels` below a directory, by which the lock names them. They stay with the environment, for runs and models. */
const layOutWheels = async (wheels: readonly Wheel[], directory: string): Promise<void> => {
  if (wheels.length === 0) return;
  await mkdir(join(directory, wheelsDirectory));
  for (const { file } of wheels) await copyFile(file, join(directory, wheelsDirectory, basename(file)));
};

/**
 * Imports what the worker will. It finds out packages that were resolved but do not work together (an old pandas with a new
 * NumPy), and leaves compiled modules for the workers to come.
 */
const checkImports = async (
  { spec, interpreter, lock }: Build,
  place: string,
  options: CommandOptions,
): Promise<void> => {
  options.onLine?.('checking that the packages load');
  const code = `import ${workerModules.join(', ')}`;
  const { code: exit, stderr } = await runCommand(join(place, 'bin', 'python'), ['-I', '-c', code], {
    ...options,
    onLine: () => {},
  });
  if (exit === 0) return;
  const reason = stderr.trim().split('\n').at(-1) ?? '';
  throw new Invalid(`${spec.source ?? 'requirements'}: the packages do not work together: ${reason}`, {
    hint: 'Pin releases of the same time, or pin fewer.',
    details: { reason: stderr.slice(-4000), python: interpreter.version, lock },
  });
};

const markerOf = async (build: Build, place: string): Promise<Marker> => ({
  key: build.key,
  pythonVersion: build.interpreter.version,
  platform: build.platform,
  lock: build.lock,
  lockDigest: build.lockDigest,
  packages: packagesOf(build.lock),
  createdAt: new Date().toISOString(),
  bytes: await sizeOf(place),
  library: pythonLibrary,
});

const ignoreExisting = (thrown: NodeJS.ErrnoException): void => {
  if (thrown.code !== 'ENOTEMPTY' && thrown.code !== 'EEXIST') throw thrown;
};

/** Scripts name their interpreter by its path. */
const moveScripts = async (directory: string, from: string, to: string): Promise<void> => {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(directory, entry.name);
    const bytes = await readFile(path);
    // Programs that are no scripts stay as they are.
    if (bytes.includes(0)) continue;
    const text = bytes.toString('utf8');
    if (text.includes(from)) await writeFile(path, text.replaceAll(from, to));
  }
};

/**
 * Makes `import millrace` work in the environment's Python, and lets Millrace's hook put its names where old projects look for
 * them. An environment outlives the sources that it points to: then nothing happens.
 */
export const linkLibrary = async (environment: string): Promise<void> => {
  const hook = 'import sys; exec("try:\\n import millrace_hook\\nexcept ImportError:\\n pass")';
  await writeFile(join(await sitePackages(environment), 'millrace.pth'), `${pythonLibrary}\n${hook}\n`);
};

const sitePackages = async (environment: string): Promise<string> => {
  const lib = join(environment, 'lib');
  const [version = 'python3'] = (await readdir(lib)).filter((name) => name.startsWith('python3'));
  return join(lib, version, 'site-packages');
};

const sizeOf = async (directory: string): Promise<number> => {
  let bytes = 0;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) bytes += await sizeOf(path);
    else if (entry.isFile()) bytes += (await stat(path)).size;
  }
  return bytes;
};
