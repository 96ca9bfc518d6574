import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type PythonEnvironment, pythonLibrary } from '@millrace/python-runtime';
import type { PackageFiles } from '../package/manifest.ts';

const script = fileURLToPath(new URL('./recipe_packages.py', import.meta.url));

/** What the pipeline itself says of the package's input example. */
export interface ExpectedPredictions {
  readonly predictions: readonly (number | boolean)[];
  readonly probabilities?: readonly (readonly number[])[];
}

/** Packages of models that recipes train, by what they predict, and their predictions. */
export type PythonPackages = Readonly<
  Record<'price' | 'sold' | 'grade', { readonly files: PackageFiles; readonly expected: ExpectedPredictions }>
>;

/** The files below a directory by their paths in it. */
export const filesBelow = async (root: string): Promise<PackageFiles> => {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(async (entry): Promise<[string, Uint8Array]> => {
      const path = join(entry.parentPath, entry.name);
      return [relative(root, path).split(sep).join('/'), await readFile(path)];
    });
  return new Map(await Promise.all(files));
};

/** Trains three small models in the environment and packages them. For tests. */
export const trainPythonPackages = async (environment: PythonEnvironment): Promise<PythonPackages> => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-packages-'));
  try {
    const lock = join(directory, 'lock.txt');
    await writeFile(lock, environment.lock);
    await promisify(execFile)(
      environment.python,
      ['-B', script, directory, environment.pythonVersion, lock],
      {
        env: { PYTHONPATH: pythonLibrary },
      },
    );
    const packageOf = async (name: string) => ({
      files: await filesBelow(join(directory, name)),
      expected: JSON.parse(await readFile(join(directory, `${name}.json`), 'utf8')) as ExpectedPredictions,
    });
    return {
      price: await packageOf('price'),
      sold: await packageOf('sold'),
      grade: await packageOf('grade'),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};
