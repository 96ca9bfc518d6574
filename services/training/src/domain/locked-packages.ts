/** The part of npm's lock file (version 3) that is read. */
export interface PackageLock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * The packages that `names` stand for in the workspace at `location`, with all that they depend on, as sorted
 * lines of path, version and integrity. Whatever else is installed beside them changes nothing.
 */
export const lockedPackages = (
  { packages }: PackageLock,
  location: string,
  names: readonly string[],
): string[] => {
  const lines = new Map<string, string>();
  const queue = names.map((name) => ({ name, from: location }));
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const path = resolve(packages, next.name, next.from);
    const found = path === undefined ? undefined : packages[path];
    if (path === undefined || found === undefined || lines.has(path)) continue;
    lines.set(path, `${path} ${found.version ?? ''} ${found.integrity ?? ''}`);
    for (const name of Object.keys(found.dependencies ?? {})) queue.push({ name, from: path });
  }
  return [...lines.values()].sort();
};

/** As Node finds it: in the nearest `node_modules` at or above `from`. */
const resolve = (packages: PackageLock['packages'], name: string, from: string): string | undefined => {
  for (let at = from; ; at = at.slice(0, Math.max(at.lastIndexOf('/'), 0))) {
    const candidate = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (packages[candidate] !== undefined) return candidate;
    if (at === '') return undefined;
  }
};
