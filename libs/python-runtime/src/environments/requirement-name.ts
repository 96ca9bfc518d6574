/** A distribution's name in its normal form (PEP 503): `Scikit_Learn` → `scikit-learn`. */
export const normalizedName = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, '-');

/** Normalised name of the distribution that a requirement line asks for; undefined for what has none, such as a path. */
export const nameOf = (requirement: string): string | undefined => {
  const match = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?=$|[[<>=!~;@ (,])/.exec(requirement);
  return match?.[1] === undefined ? undefined : normalizedName(match[1]);
};

/** `wheels/prices-1.0-py3-none-any.whl`, `prices==1.0` or `prices[plots]==1.0` */
const pinned =
  /^(?:wheels\/(?<file>[\w.]+)-(?<build>[^-]+)-\S+|(?<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==(?<version>[^\s;]+))/;

/** Name (normalised) → version of the pinned lines of a lock. */
export const packagesOf = (lock: string): Record<string, string> =>
  Object.fromEntries(
    lock.split('\n').flatMap((line) => {
      const found = pinned.exec(line)?.groups;
      const [name, version] = [found?.name ?? found?.file, found?.version ?? found?.build];
      return name === undefined || version === undefined ? [] : [[normalizedName(name), version]];
    }),
  );
