import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '@millrace/contracts/pipeline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { millraceCommand } from './support/cli.ts';
import { writeProject } from './support/flights-project.ts';
import { TestInstallation } from './support/installation.ts';
import { type ProjectFiles, taxiProject, wineProject } from './support/python-projects.ts';
import { modelVersionOf, statesOf } from './support/runs.ts';

/** Projects as users of MLflow Recipes have them, unchanged, from the data to a prediction. */

let millrace: TestInstallation;
const roots: string[] = [];

const projectOf = async (files: ProjectFiles): Promise<string> => {
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

const millraceIn = (root: string, ...args: string[]) =>
  millraceCommand(args, { dataDir: millrace.dataDir, cwd: root });

const runProject = async (root: string): Promise<Run> => {
  const answer = await millraceIn(root, '--json', 'run', '--profile', 'local');
  expect(answer).toMatchObject({ exitCode: 0, stderr: '' });
  return JSON.parse(answer.stdout) as Run;
};

const steps = ['ingest', 'split', 'transform', 'train', 'evaluate', 'register'];
/** States of all steps: the first `cached` of them taken from the cache. */
const cachedUpTo = (cached: number) =>
  steps.map((step, index) => `${step} ${index < cached ? 'CACHED' : 'SUCCEEDED'}`);

const outputOf = (run: Run, name: string) => {
  const found = run.steps.flatMap(({ outputs }) => outputs).find((output) => output.name === name);
  if (found === undefined) throw new Error(`the run made no ${name}`);
  return found;
};

const trackedRun = async (run: Run) => {
  const { run: found } = await millrace.client.training.getRun({ id: outputOf(run, 'training_run').id });
  if (found === undefined) throw new Error('there is no training run');
  return found;
};

describe('a regression project', () => {
  let files: ProjectFiles;
  let root: string;
  let first: Run;

  beforeAll(async () => {
    files = await taxiProject();
    root = await projectOf(files);
  });

  test('runs from ingest to register', async () => {
    first = await runProject(root);
    expect(statesOf(first)).toEqual(cachedUpTo(0));
  });

  test('is tracked as MLflow Recipes tracked it', async () => {
    await millrace.log.waitFor('the report', ({ type }) => type === 'millrace.evaluation.report.passed.v1');
    const run = await trackedRun(first);
    expect(run).toMatchObject({
      params: { alpha: '0.5' },
      tags: {
        estimator_name: 'Ridge',
        'mlflow.source.type': 'RECIPE',
        'mlflow.pipeline.template.name': 'regression/v1',
        'mlflow.pipeline.profile.name': 'local',
      },
      environment: {
        pythonVersion: expect.stringMatching(/^3\.\d+\.\d+/),
        lockDigest: expect.stringMatching(/^sha256:/),
      },
    });
    expect(Object.keys(run.environment?.packages ?? {})).toEqual(
      expect.arrayContaining(['pandas', 'scikit-learn']),
    );
    expect(run.metrics.training_root_mean_squared_error).toBeLessThan(1);
  });

  test('predicts once it is approved and deployed', async () => {
    const { model, version } = modelVersionOf(first);
    expect(`${model}/${version}`).toBe('taxi_fare_regressor/1');
    expect(await millraceIn(root, 'approve', `${model}/${version}`)).toMatchObject({ exitCode: 0 });
    const deployed = await millraceIn(
      root,
      'deploy',
      `${model}/${version}`,
      '-e',
      'taxi',
      '--strategy',
      'direct',
    );
    expect(deployed).toMatchObject({ exitCode: 0, stderr: '' });
    const ride = { pickup: '2016-02-14T16:58:00Z', trip_distance: 10, zone: 'centre' };
    const predicted = await millraceIn(root, 'predict', 'taxi', JSON.stringify(ride));
    expect(predicted).toMatchObject({ exitCode: 0, stderr: '' });
    const { predictions } = JSON.parse(predicted.stdout) as { predictions: number[] };
    // 3 + 2.2 · 10 + 0.05 · 16, and half a unit on average.
    expect(Math.abs((predictions[0] ?? 0) - 26.3)).toBeLessThan(0.5);
  });

  test('runs again from the cache alone', async () => {
    const again = await runProject(root);
    expect(statesOf(again)).toEqual(cachedUpTo(steps.length));
    expect(outputOf(again, 'model').digest).toBe(outputOf(first, 'model').digest);
  });

  test('runs nothing for a comment, and from train on for another estimator', async () => {
    const path = join(root, 'steps/train.py');
    const code = files['steps/train.py'] ?? '';
    await writeFile(path, `# a remark\n${code}`);
    expect(statesOf(await runProject(root))).toEqual(cachedUpTo(steps.length));
    await writeFile(
      path,
      code.replace('Ridge(**estimator_params)', 'Ridge(**estimator_params, solver="svd")'),
    );
    expect(statesOf(await runProject(root))).toEqual(cachedUpTo(3));
    await writeFile(path, code);
  });
});

describe('a classification project', () => {
  test('with a split, a search and metrics of its own runs from ingest to register', async () => {
    const run = await runProject(await projectOf(await wineProject()));
    expect(statesOf(run)).toEqual(cachedUpTo(0));
    const { id } = outputOf(run, 'training_run');
    const { runs } = await millrace.client.training.searchRuns({
      experimentName: 'wine',
      includeNested: true,
      filter: "status = 'FINISHED'",
    });
    const trials = runs.filter(({ parentRunId }) => parentRunId === id);
    expect(trials).toHaveLength(4);
    expect(trials.every(({ params, metrics }) => 'max_depth' in params && 'f1_score' in metrics)).toBe(true);
  });
});
