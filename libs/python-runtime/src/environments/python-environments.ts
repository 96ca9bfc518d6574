import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asMillraceError } from '@millrace/errors';
import { abortError, withFileLock } from '@millrace/jobs';
import type { EnvironmentSpec, PythonEnvironment } from '../contract.ts';
import { pythonLibrary } from '../worker/python-process.ts';
import { type Build, buildEnvironment, linkLibrary, type Marker, markerFile } from './build.ts';
import { cacheDirectory } from './cache-directory.ts';
import type { CommandOptions } from './command.ts';
import type { Installer } from './installer.ts';
import { type FoundInterpreter, findInterpreter } from './interpreter.ts';
import {
  type EnvironmentInfo,
  listEnvironments,
  type Pruned,
  type PruneOptions,
  pruneEnvironments,
} from './inventory.ts';
import { locateInstaller } from './locate-installer.ts';
import { preferencesFor, workerNeeds } from './pins.ts';
import { minorOf } from './python-version.ts';
import { resolveSpec } from './resolve.ts';
import {
  contentOf,
  lockWithWheels,
  makeWheels,
  requiringWheels,
  type Wheel,
  wheelsDirectory,
} from './wheels.ts';

/** Changes when environments of an earlier Millrace must not be used any more. */
const layoutVersion = 1;
const buildTimeoutMs = 60 * 60_000;
const platform = `${process.platform}-${process.arch}`;

export interface EnvironmentsOptions {
  /** Default: `MILLRACE_PYTHON_DIR`, else `millrace/python` in the user's cache directory. */
  readonly directory?: string;
}

export interface EnsureOptions {
  readonly signal?: AbortSignal;
  /** Takes a line for each thing that is done: `resolving 7 requirements`, `Downloading numpy (17.4MiB)`. */
  readonly onProgress?: (line: string) => void;
  /** Resolves anew, to the newest versions and a Python that was installed meanwhile, instead of taking what is remembered. */
  readonly refresh?: boolean;
}

/** What a spec was resolved to. */
interface Resolution {
  readonly key: string;
  readonly lock: string;
  readonly warnings: readonly string[];
}

/**
 * The environments of a machine's user, shared by all projects and processes. Each is built once, from pinned packages, and
 * never changed afterwards.
 */
export class PythonEnvironments {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static open(options: EnvironmentsOptions = {}): PythonEnvironments {
    return new PythonEnvironments(options.directory ?? cacheDirectory());
  }

  /**
   * The environment of a spec. The first time it is resolved, and built unless an equal one is there; afterwards it is
   * looked up. Any number of processes may ask at once: one builds, the others wait.
   *
   * Throws `Invalid` when the requirements cannot be met, naming file and line; `Unavailable` when the package index is out
   * of reach; `FailedPrecondition` when there is no Python; `Exhausted` when the disk is full.
   */
  async ensure(spec: EnvironmentSpec, options: EnsureOptions = {}): Promise<PythonEnvironment> {
    if (options.signal?.aborted) throw abortError(options.signal);
    const digest = digestOf(await specIdentity(spec));
    const specFile = join(this.directory, 'resolved', `${digest}.json`);
    const ready = options.refresh ? undefined : await this.#remembered(specFile);
    if (ready !== undefined) return ready;
    try {
      return await this.#alone(digest, options, async () => {
        // Another process may have made it meanwhile.
        const made = options.refresh ? undefined : await this.#remembered(specFile);
        return made ?? (await this.#make(spec, specFile, options));
      });
    } catch (thrown) {
      throw options.signal?.aborted ? abortError(options.signal) : asMillraceError(thrown);
    }
  }

  /** The environment of that key, when it is there. */
  find(key: string): Promise<PythonEnvironment | undefined> {
    return this.#read(key, []);
  }

  /** All environments, the last used first. */
  list(): Promise<EnvironmentInfo[]> {
    return listEnvironments(this.directory);
  }

  /** Removes environments that are not used; never one that a process runs in. */
  prune(options: PruneOptions = {}): Promise<Pruned> {
    return pruneEnvironments(this.directory, options);
  }

  async #remembered(specFile: string): Promise<PythonEnvironment | undefined> {
    const known = await readJson<Resolution>(specFile);
    return known === undefined ? undefined : this.#read(known.key, known.warnings);
  }

  async #make(spec: EnvironmentSpec, specFile: string, options: EnsureOptions): Promise<PythonEnvironment> {
    const { signal, onProgress = () => {} } = options;
    const withSignal = signal === undefined ? {} : { signal };
    const tools: CommandOptions = { onLine: onProgress, ...withSignal };
    const installer = await locateInstaller({ directory: this.directory, onProgress, ...withSignal });
    const uv = installer.uv === undefined ? {} : { uv: installer.uv };
    const interpreter = await findInterpreter(spec.python, { ...uv, ...withSignal });
    const known = options.refresh ? undefined : await readJson<Resolution>(specFile);
    const warnings = [
      ...(spec.warnings ?? []),
      ...(interpreter.warning === undefined ? [] : [interpreter.warning]),
    ];
    const work = await mkdtemp(join(tmpdir(), 'millrace-resolve-'));
    try {
      const wheels = await makeWheels(spec, { installer, interpreter, directory: work }, tools);
      const complete = requiringWheels(spec, wheels);
      const lock =
        spec.lock ??
        known?.lock ??
        lockWithWheels(await this.#resolve(complete, interpreter, installer, work, tools), wheels);
      const build = buildOf(complete, interpreter, lock, wheels);
      // Another spec may come to the same packages.
      await this.#alone(build.key, options, () => this.#build(build, installer, tools));
      await writeWhole(specFile, { key: build.key, lock, warnings } satisfies Resolution);
      const made = await this.#read(build.key, warnings);
      if (made === undefined) throw new Error(`the environment ${build.key} went while it was made`);
      return made;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  /** Does it while no other process does anything under that name. */
  async #alone<T>(name: string, { signal, onProgress }: EnsureOptions, work: () => Promise<T>): Promise<T> {
    const locks = join(this.directory, 'locks');
    await mkdir(locks, { recursive: true });
    const options = {
      timeoutMs: buildTimeoutMs,
      onWait: () => onProgress?.('another process is making the same environment: waiting for it'),
      ...(signal === undefined ? {} : { signal }),
    };
    return withFileLock(join(locks, `${name}.lock`), options, work);
  }

  #resolve(
    spec: EnvironmentSpec,
    interpreter: FoundInterpreter,
    installer: Installer,
    directory: string,
    tools: CommandOptions,
  ): Promise<string> {
    tools.onLine?.(`resolving the requirements for Python ${interpreter.version} with ${installer.name}`);
    return resolveSpec(spec, interpreter, installer, directory, tools);
  }

  async #build(build: Build, installer: Installer, tools: CommandOptions): Promise<void> {
    if ((await this.#read(build.key, [])) !== undefined) return;
    const target = this.#pathOf(build.key);
    // What has no marker, or no interpreter any more, is a remainder.
    await rm(target, { recursive: true, force: true });
    const { length } = build.lock.trim().split('\n');
    tools.onLine?.(`installing ${length} packages`);
    await buildEnvironment(build, installer, target, tools);
  }

  #pathOf(key: string): string {
    return join(this.directory, 'environments', key);
  }

  /** Reads a whole environment, and notes that it is used. */
  async #read(key: string, warnings: readonly string[]): Promise<PythonEnvironment | undefined> {
    const directory = this.#pathOf(key);
    const python = join(directory, 'bin', 'python');
    const path = join(directory, markerFile);
    const [marker] = await Promise.all([readJson<Marker>(path), access(python)]).catch(() => [undefined]);
    if (marker === undefined) return undefined;
    const now = new Date();
    await utimes(path, now, now);
    if (marker.library !== pythonLibrary) await this.#relink(directory, marker);
    const { pythonVersion, lock, lockDigest, packages } = marker;
    const wheels = lock.split('\n').filter((line) => line.startsWith(`${wheelsDirectory}/`));
    return {
      key,
      python,
      pythonVersion,
      platform: marker.platform,
      lock,
      lockDigest,
      packages,
      wheels: wheels.map((path) => join(directory, path)),
      warnings,
    };
  }

  /** The environment was made by a Millrace that lies elsewhere. */
  async #relink(directory: string, marker: Marker): Promise<void> {
    await linkLibrary(directory);
    await writeWhole(join(directory, markerFile), { ...marker, library: pythonLibrary });
  }
}

/** What decides what a spec resolves to. */
const specIdentity = async (spec: EnvironmentSpec): Promise<unknown> => {
  const { places: _places, source: _source, projectRoot, localPackages = [], ...rest } = spec;
  const contents = await Promise.all(
    localPackages.map(async (local) => [local.extras, await contentOf(projectRoot, local)]),
  );
  return [
    layoutVersion,
    platform,
    process.env.MILLRACE_PYTHON ?? '',
    workerNeeds,
    preferencesFor(spec.requirements),
    rest,
    ...(contents.length === 0 ? [] : [contents]),
  ];
};

const buildOf = (
  spec: EnvironmentSpec,
  interpreter: FoundInterpreter,
  lock: string,
  wheels: readonly Wheel[],
): Build => {
  const lockDigest = `sha256:${createHash('sha256').update(lock).digest('hex')}`;
  const key = digestOf([
    layoutVersion,
    lockDigest,
    minorOf(interpreter.version),
    platform,
    interpreter.platform,
    // The lock has but their names.
    ...wheels.map(({ digest }) => digest).sort(),
  ]);
  return { key, lock, lockDigest, platform, interpreter, spec, wheels };
};

const digestOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);

const readJson = async <T>(path: string): Promise<T | undefined> => {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
};

/** Never seen half-written. */
const writeWhole = async (path: string, value: unknown): Promise<void> => {
  await mkdir(join(path, '..'), { recursive: true });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(value));
  await rename(draft, path);
};
