import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeClosure } from '@millrace/recipe';

/** Modules whose functions and classes a pickled model may refer to. */
const entries = ['steps/transform.py', 'steps/train.py'];

/**
 * The project's files that a model needs at prediction: the code that transform and train may import, and whatever
 * else that is no code lies in `steps/`. Sorted paths relative to the project.
 */
export const modelCode = async (project: string, files: readonly string[]): Promise<readonly string[]> => {
  const scripts = files.filter((path) => path.endsWith('.py'));
  const texts = new Map(
    await Promise.all(
      scripts.map(
        async (path): Promise<[string, string]> => [path, await readFile(join(project, path), 'utf8')],
      ),
    ),
  );
  const closure = codeClosure(
    entries.filter((path) => texts.has(path)),
    { readFile: (path) => texts.get(path), listFiles: () => files },
  );
  const assets = files.filter((path) => path.startsWith('steps/') && !/\.(py|[cm]?[jt]s)$/.test(path));
  return [...new Set([...closure.files.map(({ path }) => path), ...assets])].sort();
};
