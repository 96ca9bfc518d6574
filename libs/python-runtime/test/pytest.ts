import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PythonEnvironments } from '../src/index.ts';

/** What pytest printed for a part of the Python package's own tests, and how it ended. */
export interface Pytest {
  readonly output: string;
  readonly code: number | null;
}

/** Runs `tests/<part>` in an environment with these packages, which is built once per machine. */
export const runPytest = async (requirements: readonly string[], part: string): Promise<Pytest> => {
  const { python } = await PythonEnvironments.open().ensure({ requirements, needs: [] });
  const child = spawn(python, ['-B', '-m', 'pytest', '-q', '-p', 'no:cacheprovider', `tests/${part}`], {
    cwd: fileURLToPath(new URL('../python', import.meta.url)),
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
