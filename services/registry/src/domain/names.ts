import { Invalid } from '@millrace/errors';

const modelName = /^[A-Za-z0-9](?:[A-Za-z0-9._ -]{0,253}[A-Za-z0-9._-])?$/;
const aliasName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;
const versionLike = /^v?\d+$/i;

/** @throws Invalid naming the field. */
export const parseModelName = (name: string, path = 'model'): string => {
  if (modelName.test(name)) return name;
  throw Invalid.field(
    path,
    'must be 1 to 255 letters, digits, spaces, ".", "_" or "-", beginning with a letter or digit',
  );
};

/** An alias must not look like a version (`3`, `v3`) nor be `latest`, which clients resolve themselves. */
export const parseAlias = (alias: string, path = 'alias'): string => {
  if (!aliasName.test(alias)) {
    throw Invalid.field(
      path,
      'must be 1 to 128 letters, digits, "_" or "-", beginning with a letter or digit',
    );
  }
  if (versionLike.test(alias) || alias.toLowerCase() === 'latest') {
    throw Invalid.field(path, `must not be "${alias}": it reads like a version`);
  }
  return alias;
};

/** A version number from `least` (1, or 0 where that has a meaning). */
export const parseVersionNumber = (version: number, path = 'version', least: 0 | 1 = 1): number => {
  if (Number.isInteger(version) && version >= least) return version;
  throw Invalid.field(path, `must be a whole number from ${least}`);
};

/** Key of a model version, also in events: `flights/3`. */
export const versionKey = (model: string, version: number): string => `${model}/${version}`;
