import { basename } from 'node:path';

/** Name of a project that does not say one: that of its directory, with `-` for what no name may hold. */
export const projectNameOf = (root: string): string =>
  basename(root)
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 128) || 'project';
