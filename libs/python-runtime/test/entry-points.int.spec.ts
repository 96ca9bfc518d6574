import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PythonEnvironments } from '../src/index.ts';
import { buildTimeoutMs } from './environment.ts';

/** The small distribution of MLflow has what matters here: its modules and its command line. */
const environments: readonly (readonly [beside: string, requirements: readonly string[]])[] = [
  ['no MLflow', ['pytest', 'click', 'pandas', 'pyarrow']],
  ['MLflow 3', ['pytest', 'mlflow-skinny==3.*']],
  ['MLflow 2, which has recipes of its own', ['pytest', 'mlflow-skinny==2.22.*']],
];

describe('the client and the old names of MLflow Recipes', () => {
  it.each(environments)(
    'pass their tests beside %s',
    async (_, requirements) => {
      const { python } = await PythonEnvironments.open().ensure({ requirements, needs: [] });
      const child = spawn(
        python,
        ['-B', '-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'tests/entry_points'],
        {
          cwd: fileURLToPath(new URL('../python', import.meta.url)),
        },
      );
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk) => {
          output += chunk;
        });
      }
      const [code] = await once(child, 'close');
      expect(output).toMatch(/\d+ passed/);
      expect(code, output).toBe(0);
    },
    buildTimeoutMs,
  );
});
