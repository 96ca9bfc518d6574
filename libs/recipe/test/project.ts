import { createHash } from 'node:crypto';
import { Invalid } from '@millrace/errors';
import { type DigestedFiles, type LoadedRecipe, loadRecipe } from '../src/index.ts';

/** A project in memory. */
export const project = (files: Readonly<Record<string, string>>): DigestedFiles => ({
  readFile: (path) => (Object.hasOwn(files, path) ? files[path] : undefined),
  listFiles: () => Object.keys(files),
  digestOf: (path) => {
    const text = files[path];
    return text === undefined ? undefined : `sha256:${createHash('sha256').update(text).digest('hex')}`;
  },
});

export const load = (files: string | Readonly<Record<string, string>>, profile = ''): LoadedRecipe =>
  loadRecipe({ ...project(typeof files === 'string' ? { 'recipe.yaml': files } : files), profile });

/** The problems of a recipe, as a person reads them. */
export const problemsOf = (
  files: string | Readonly<Record<string, string>>,
  profile = '',
): readonly string[] => {
  try {
    load(files, profile);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof Invalid)) throw thrown;
    return thrown.violations.map(({ path, message }) => `${path}: ${message}`);
  }
};

/** A small recipe that is right as it stands; `steps` are further lines of its steps section. */
export const minimal = (steps = '', top = ''): string =>
  `recipe: regression/v1\ntarget_col: y\n${top}steps:\n  ingest:\n    using: csv\n    location: data/a.csv\n${steps}`;
