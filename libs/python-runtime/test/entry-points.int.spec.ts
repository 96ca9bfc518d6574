import { describe, expect, it } from 'vitest';
import { buildTimeoutMs } from './environment.ts';
import { runPytest } from './pytest.ts';

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
      const { output, code } = await runPytest(requirements, ['entry_points']);
      expect(output).toMatch(/\d+ passed/);
      expect(code, output).toBe(0);
    },
    buildTimeoutMs,
  );
});
