import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PythonEnvironments } from '@millrace/python-runtime';
import { pytest } from '@millrace/python-runtime/pytest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeProject } from '../support/flights-project.ts';
import { TestInstallation } from '../support/installation.ts';
import { taxiProject, wineProject } from '../support/python-projects.ts';

/**
 * `mlflow.recipes.Recipe` as a user has it: in an environment with a current MLflow, in scripts and in notebooks, against a
 * Millrace that runs. What the user does stands in the Python files beside this one.
 */

const main = join(import.meta.dirname, '../../libs/cli/src/main.ts');
/** What the projects ask for, and what the tests need. MLflow as those who pinned it in its second year. */
const requirements = ['mlflow>=2.0', 'ipykernel', 'nbclient', 'pytest', 'hyperopt'];
const buildTimeoutMs = 10 * 60_000;
/** Time for one file of tests: each is some dozens of commands. */
const fileTimeoutMs = 40 * 60_000;

let millrace: TestInstallation;
let python: string;
const projects: Record<string, string> = {};

beforeAll(async () => {
  ({ python } = await PythonEnvironments.open().ensure({ requirements, needs: [] }));
  projects.TAXI_PROJECT = await writeProject(await taxiProject(), 'taxi');
  projects.WINE_PROJECT = await writeProject(await wineProject(), 'wine');
  millrace = await TestInstallation.start({ separate: false });
}, buildTimeoutMs);

afterAll(async () => {
  await millrace?.stop();
  for (const root of Object.values(projects)) await rm(dirname(root), { recursive: true, force: true });
});

/** As the user of the projects has it. */
const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  ...projects,
  MILLRACE_URL: millrace.url,
  MILLRACE_COMMAND: `${process.execPath} --disable-warning=ExperimentalWarning ${main}`,
});

describe('the recipe client beside a current MLflow', () => {
  it.each(['test_recipe.py', 'test_notebook.py', 'test_pipelines.py'])(
    'passes %s',
    async (file) => {
      const options = { cwd: import.meta.dirname, env: environment() };
      const { output, code } = await pytest(python, [file], options);
      expect(output).toMatch(/\d+ passed/);
      expect(code, output).toBe(0);
    },
    fileTimeoutMs,
  );
});
