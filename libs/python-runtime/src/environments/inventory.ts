import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { identityOf } from '@millrace/jobs';
import { buildingPrefix, type Marker, markerFile } from './build.ts';
import { runCommand } from './command.ts';

/** An environment on this machine. */
export interface EnvironmentInfo {
  readonly key: string;
  readonly directory: string;
  readonly pythonVersion: string;
  readonly lock: string;
  readonly packages: Readonly<Record<string, string>>;
  /** Size on disk; files that the package tool's cache shares are counted. */
  readonly bytes: number;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly lastUsedAt: string;
  /** Whether a process runs in it now. */
  readonly inUse: boolean;
}

export interface PruneOptions {
  /** Those that were not used for so many days; default 30. */
  readonly unusedDays?: number;
  /** All that no process uses. */
  readonly all?: boolean;
  /** Only says what would go. */
  readonly dryRun?: boolean;
}

export interface Pruned {
  readonly removed: readonly EnvironmentInfo[];
  readonly freedBytes: number;
}

const defaultUnusedDays = 30;
const dayMs = 24 * 60 * 60_000;
/** One that was asked for just now is about to be used, though no process runs in it yet. */
const graceMs = 5 * 60_000;
const removingPrefix = '.removing-';
const environmentsOf = (directory: string) => join(directory, 'environments');

/** Every whole environment, the last used first. */
export const listEnvironments = async (directory: string): Promise<EnvironmentInfo[]> => {
  const names = await readdir(environmentsOf(directory)).catch(() => [] as string[]);
  const commands = names.length === 0 ? [] : await runningCommands();
  const found = await Promise.all(
    names.map((name) => describe(join(environmentsOf(directory), name), commands)),
  );
  return found
    .filter((info) => info !== undefined)
    .sort((left, right) => right.lastUsedAt.localeCompare(left.lastUsedAt));
};

const describe = async (
  directory: string,
  commands: readonly string[],
): Promise<EnvironmentInfo | undefined> => {
  const path = join(directory, markerFile);
  try {
    const [text, { mtime }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    const { key, pythonVersion, lock, packages, bytes, createdAt } = JSON.parse(text) as Marker;
    const inUse = commands.some((command) => command.includes(`${directory}/`));
    return {
      key,
      directory,
      pythonVersion,
      lock,
      packages,
      bytes,
      createdAt,
      lastUsedAt: mtime.toISOString(),
      inUse,
    };
  } catch {
    return undefined;
  }
};

/**
 * Removes environments that are not used, and what killed builds left. What a spec was resolved to is kept, so that the same
 * packages are installed when it is asked for again, except with `all`.
 */
export const pruneEnvironments = async (directory: string, options: PruneOptions): Promise<Pruned> => {
  const now = Date.now();
  const oldest = options.all ? now - graceMs : now - (options.unusedDays ?? defaultUnusedDays) * dayMs;
  const removed = (await listEnvironments(directory)).filter(
    ({ inUse, lastUsedAt }) => !inUse && Date.parse(lastUsedAt) <= oldest,
  );
  if (!options.dryRun) {
    for (const info of removed) await remove(directory, info);
    await removeRemainders(directory);
    if (options.all) await rm(join(directory, 'resolved'), { recursive: true, force: true });
  }
  return { removed, freedBytes: removed.reduce((sum, { bytes }) => sum + bytes, 0) };
};

/** Moved aside first, so that nobody finds half of it. */
const remove = async (directory: string, { directory: environment, key }: EnvironmentInfo): Promise<void> => {
  const aside = join(environmentsOf(directory), `${removingPrefix}${key}`);
  await rename(environment, aside);
  await rm(aside, { recursive: true, force: true });
};

/** Directories of builders and removers that were killed. */
const removeRemainders = async (directory: string): Promise<void> => {
  const names = await readdir(environmentsOf(directory)).catch(() => [] as string[]);
  for (const name of names) {
    const isRemainder =
      name.startsWith(removingPrefix) || (name.startsWith(buildingPrefix) && builderIsGone(name));
    if (isRemainder) await rm(join(environmentsOf(directory), name), { recursive: true, force: true });
  }
};

/** The name of a build ends in its builder's process id: see `buildEnvironment`. */
const builderIsGone = (name: string): boolean => {
  const pid = Number(name.slice(buildingPrefix.length).split('-')[1]);
  return identityOf(pid) === undefined;
};

/** The command lines of all processes. */
const runningCommands = async (): Promise<string[]> => {
  if (process.platform !== 'linux') {
    const { stdout } = await runCommand('ps', ['-axww', '-o', 'command=']);
    return stdout.split('\n');
  }
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
};
