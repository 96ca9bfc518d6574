import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PythonEnvironments } from '../src/index.ts';

/** What pytest printed, and how it ended. */
export interface Pytest {
  readonly output: string;
  readonly code: number | null;
}

/** Runs parts of `tests` in an environment with these packages, which is built once per machine. */
export const runPytest = async (
  requirements: readonly string[],
  parts: readonly string[],
): Promise<Pytest> => {
  const { python } = await PythonEnvironments.open().ensure({ requirements, needs: [] });
  const tests = parts.map((part) => `tests/${part}`);
  return pytest(python, tests, { cwd: fileURLToPath(new URL('../python', import.meta.url)) });
};

/** Runs files of tests with an interpreter that has pytest. It leaves nothing behind. */
export const pytest = async (
  python: string,
  files: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env'>,
): Promise<Pytest> => {
  const child = spawn(python, ['-B', '-m', 'pytest', '-q', '-p', 'no:cacheprovider', ...files], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { output, code };
};
