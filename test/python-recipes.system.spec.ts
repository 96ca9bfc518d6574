import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '@millrace/contracts/pipeline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { millraceCommand } from './support/cli.ts';
import { writeProject } from './support/flights-project.ts';
import { TestInstallation } from './support/installation.ts';
import { taxiProject, wineProject } from './support/python-projects.ts';
import { statesOf } from './support/runs.ts';

/** Projects as users of MLflow Recipes have them, unchanged, from the data to a prediction. */

let millrace: TestInstallation;
const roots: string[] = [];

const projectOf = async (files: Readonly<Record<string, string>>): Promise<string> => {
  const root = await writeProject(files);
  roots.push(root);
  return root;
};

beforeAll(async () => {
  millrace = await TestInstallation.start({ separate: false });
});

afterAll(async () => {
  await millrace?.stop();
  for (const root of roots) await rm(root, { recursive: true, force: true });
});

const command = (root: string, ...args: string[]) =>
  millraceCommand(args, { dataDir: millrace.dataDir, cwd: root });

const runProject = async (root: string): Promise<Run> => {
  const answer = await command(root, '--json', 'run', '--profile', 'local');
  expect(answer).toMatchObject({ exitCode: 0, stderr: '' });
  return JSON.parse(answer.stdout) as Run;
};

const steps = ['ingest', 'split', 'transform', 'train', 'evaluate', 'register'];
const all = (state: string) => steps.map((step) => `${step} ${state}`);

describe('a regression project', () => {
  let root: string;
  let run: Run;

  beforeAll(async () => {
    root = await projectOf(await taxiProject());
  });

  test('runs from ingest to register', async () => {
    run = await runProject(root);
    expect(statesOf(run)).toEqual(all('SUCCEEDED'));
  });
});
