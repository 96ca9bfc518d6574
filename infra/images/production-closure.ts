/** An entry of `packages` in package-lock.json (lock file version 3), as far as it matters here. */
export interface LockedPackage {
  readonly link?: boolean;
  readonly resolved?: string;
  readonly optional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

export interface Closure {
  /** Folders of the workspaces (`libs/bus`), sorted. */
  readonly workspaces: readonly string[];
  /** Folders of installed packages (`node_modules/zod`), sorted. Optional ones may be missing on this platform. */
  readonly installed: readonly string[];
}

/** Where Node finds `name` from `folder`: the nearest `node_modules` on the way up. */
const locate = (
  packages: Readonly<Record<string, LockedPackage>>,
  folder: string,
  name: string,
): string | undefined => {
  const parts = folder === '' ? [] : folder.split('/');
  for (let length = parts.length; length >= 0; length -= 1) {
    const candidate = [...parts.slice(0, length), 'node_modules', name].join('/');
    if (packages[candidate] !== undefined) return candidate;
  }
  return undefined;
};

const namesOf = (entry: LockedPackage): { readonly name: string; readonly optional: boolean }[] => [
  ...Object.keys(entry.dependencies ?? {}).map((name) => ({
    name,
    optional: entry.optionalDependencies?.[name] !== undefined,
  })),
  ...Object.keys(entry.optionalDependencies ?? {}).map((name) => ({ name, optional: true })),
  // A peer that may be absent comes in only when somebody else depends on it.
  ...Object.keys(entry.peerDependencies ?? {})
    .filter((name) => entry.peerDependenciesMeta?.[name]?.optional !== true)
    .map((name) => ({ name, optional: false })),
];

/**
 * What a workspace needs to run, from the lock file: the workspaces and the installed packages that are reached over
 * dependencies, never over development dependencies. Npm's own `--workspace --omit=dev` keeps the development
 * dependencies that one workspace has in another.
 * @param without packages that are left out, with what only they need
 * @throws Error when a dependency is not in the lock file
 */
export const productionClosure = (
  packages: Readonly<Record<string, LockedPackage>>,
  workspace: string,
  without: readonly string[] = [],
): Closure => {
  if (packages[workspace] === undefined) throw new Error(`${workspace} is not a workspace of the lock file`);
  const workspaces = new Set<string>();
  const installed = new Set<string>();
  const open = [workspace];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const entry = packages[folder];
    const seen = folder.includes('node_modules/') ? installed : workspaces;
    if (entry === undefined || seen.has(folder)) continue;
    seen.add(folder);
    for (const { name, optional } of namesOf(entry)) {
      if (without.includes(name)) continue;
      const found = locate(packages, folder, name);
      if (found === undefined && !optional) throw new Error(`${folder} needs ${name}, which is not locked`);
      const target = found === undefined ? undefined : packages[found];
      if (found !== undefined) open.push(target?.link === true ? (target.resolved ?? found) : found);
    }
  }
  return { workspaces: [...workspaces].sort(), installed: [...installed].sort() };
};
