import { posix } from 'node:path';
import { Invalid } from '@millrace/errors';
import type { LocalPackage } from '../contract.ts';
import type { ProjectFiles } from './requirements-file.ts';

const archive = /\.(?:whl|tar\.gz|zip)$/;
/** One of them says how a directory is built into a package. */
const buildFiles = ['pyproject.toml', 'setup.py', 'setup.cfg'];

/** Whether a requirement names a path instead of a published package or an address. */
export const isLocal = (requirement: string, files: ProjectFiles): boolean => {
  if (/^(?:git\+|https?:)|@\s*(?:git\+|https?:)/.test(requirement)) return false;
  if (/^(?:\.{1,2}(?:[/[]|$)|\/|file:)/.test(requirement) || /@\s*(?:file:|\.)/.test(requirement))
    return true;
  const { path } = partsOf(requirement);
  return archive.test(path) || (path.includes('/') && filesOf(path, files).length > 0);
};

/**
 * The package of the project's own that a requirement names: `./libs/prices`, `libs/prices[plots]`,
 * `prices @ file:./libs/prices`, `./vendor/prices-1.0-py3-none-any.whl`. Paths count from the project's root, as for pip that
 * runs there. Throws `Invalid` naming the line when it lies outside the project, is not there, or is no package.
 */
export const localPackage = (requirement: string, place: string, files: ProjectFiles): LocalPackage => {
  if (requirement.includes(';')) {
    throw Invalid.field(place, `\`${requirement}\` has a condition, which a path cannot have here`, {
      hint: 'Leave the condition out.',
    });
  }
  const { path: written, extras } = partsOf(requirement);
  const path = posix.normalize(written).replace(/(?<=.)\/$/, '');
  if (posix.isAbsolute(path) || path.startsWith('..')) throw outsideProject(place, requirement);
  const found = filesOf(path, files);
  if (found.length === 0) {
    throw Invalid.field(place, `\`${requirement}\` is not in the project`, {
      hint: 'Paths count from the directory of recipe.yaml. Name what is there, or a published package.',
    });
  }
  if (!found.includes(path) && !buildFiles.some((name) => found.includes(posix.join(path, name)))) {
    throw Invalid.field(place, `\`${requirement}\` is no package: it has no pyproject.toml and no setup.py`, {
      hint: 'Add one, or leave the line out: modules beside recipe.yaml can be imported as they are.',
    });
  }
  return { path, extras, place, files: found };
};

/** A path that is refused: only the project's own files go with it. */
export const outsideProject = (place: string, target: string): Invalid =>
  Invalid.field(place, `${target} lies outside the project`, {
    hint: 'Only what is in the project goes with it: move it inside, or name a published package.',
  });

/** `prices[plots] @ file:./libs/prices` → the path as it is written, and the extras. */
const partsOf = (requirement: string): { path: string; extras: string } => {
  const [, name = '', target = requirement] = /^([^@/]*?)\s*@\s*(.*)$/.exec(requirement) ?? [];
  const [, path = target, extras = ''] = /^(.*?)\s*(\[[^\]]*\])?$/.exec(target.replace(/\s*;.*$/, '')) ?? [];
  const named = /\[[^\]]*\]/.exec(name)?.[0] ?? '';
  return { path: path.replace(/^file:(?:\/\/(?=\/|$))?/, ''), extras: extras || named };
};

/** The files at or below a path. */
const filesOf = (path: string, files: ProjectFiles): string[] => {
  const plain = posix.normalize(path).replace(/(?<=.)\/$/, '');
  const below = plain === '.' ? '' : `${plain}/`;
  return files
    .listFiles()
    .filter((file) => file === plain || file.startsWith(below))
    .sort();
};
