import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Run } from '@millrace/contracts/pipeline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { millraceCommand } from './support/cli.ts';
import { writeProject } from './support/flights-project.ts';
import { TestInstallation } from './support/installation.ts';
import { type ProjectFiles, processesBelow, taxiProject, wineProject } from './support/python-projects.ts';
import { followToEnd, modelVersionOf, statesOf, submit } from './support/runs.ts';
import { until } from './support/wait.ts';

/** Projects as users of MLflow Recipes have them, unchanged, from the data to a prediction. */

let millrace: TestInstallation;
const roots: string[] = [];

/** All taxi projects are one project, so that each runs only what is new in it. */
const projectOf = async (files: ProjectFiles, name = 'taxi'): Promise<string> => {
  const root = await writeProject(files, name);
  roots.push(dirname(root));
  return root;
};

beforeAll(async () => {
  millrace = await TestInstallation.start({
    separate: false,
    env: { MILLRACE_TRAINING_PYTHON_MEMORY_MB: '800' },
  });
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
    const run = await runProject(await projectOf(await wineProject(), 'wine'));
    expect(statesOf(run)).toEqual(cachedUpTo(0));
    const { id } = outputOf(run, 'training_run');
    const { runs } = await millrace.client.training.searchRuns({
      experimentName: 'wine',
      includeNested: true,
      filter: "status = 'FINISHED'",
    });
    const trials = runs.filter(({ parentRunId }) => parentRunId === id);
    // What is fixed in the recipe is tried as well, alone.
    expect(trials.filter(({ params }) => 'max_depth' in params)).toHaveLength(4);
    expect(trials.every(({ metrics }) => 'f1_score' in metrics)).toBe(true);
  });
});

describe('the same project in another installation', () => {
  test('gives the same splits, metrics and model', async () => {
    const files = await taxiProject();
    const here = await runProject(await projectOf(files));
    const metricsHere = (await trackedRun(here)).metrics;
    const usual = millrace;
    millrace = await TestInstallation.start({ separate: false });
    try {
      const there = await runProject(await projectOf(files));
      expect(statesOf(there)).toEqual(cachedUpTo(0));
      for (const name of ['train', 'validation', 'test', 'transform', 'model', 'predicted_training_data']) {
        expect(`${name} ${outputOf(there, name).digest}`).toBe(`${name} ${outputOf(here, name).digest}`);
      }
      await millrace.log.waitFor('the report', ({ type }) => type === 'millrace.evaluation.report.passed.v1');
      const metricsThere = await until('the metrics of the evaluation', async () => {
        const { metrics } = await trackedRun(there);
        return metrics.test_r2_score === undefined ? undefined : metrics;
      });
      expect(metricsThere).toEqual(metricsHere);
    } finally {
      await millrace.stop();
      millrace = usual;
    }
  });
});

/** Replaces text in a file of the project. */
const spoilt = async (path: string, from: string | RegExp, to: string): Promise<ProjectFiles> => {
  const files = await taxiProject();
  const text = files[path] ?? '';
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`${path} has no ${from}`);
  return { ...files, [path]: changed };
};

const estimator = 'return Ridge(**estimator_params)';
/** Lines in place of the one that returns the estimator. */
const estimating = (...lines: string[]) => spoilt('steps/train.py', estimator, lines.join('\n    '));

interface BadProject {
  readonly what: string;
  readonly files: () => Promise<ProjectFiles>;
  readonly step: string;
  readonly exitCode: number;
  /** What the error must name. */
  readonly text: RegExp;
}

const invalid = 2;

const badProjects: readonly BadProject[] = [
  {
    what: 'a function that is not there',
    files: () => spoilt('steps/train.py', 'def estimator_fn', 'def other_fn'),
    step: 'train',
    exitCode: invalid,
    text: /steps\/train\.py has no function `estimator_fn`/,
  },
  {
    what: 'a function with the wrong signature',
    files: () => spoilt('steps/transform.py', 'def transformer_fn():', 'def transformer_fn(a, b):'),
    step: 'transform',
    exitCode: invalid,
    text: /steps\/transform\.py:\d+: .*transformer_fn/,
  },
  {
    what: 'a loader that returns something else',
    files: () => spoilt('steps/ingest.py', /return pandas\.read_csv.*/, 'return [1, 2, 3]'),
    step: 'ingest',
    exitCode: invalid,
    text: /steps\/ingest\.py:\d+: .*load_file_as_dataframe.*DataFrame/,
  },
  {
    what: "an error of the user's code",
    files: () => spoilt('steps/helpers.py', 'return times', 'return times.nothing'),
    step: 'transform',
    exitCode: invalid,
    text: /steps\/helpers\.py:\d+: AttributeError/,
  },
  {
    what: 'a syntax error',
    files: () => spoilt('steps/train.py', 'estimator_params is None:', 'estimator_params is None'),
    step: 'train',
    exitCode: invalid,
    text: /steps\/train\.py:\d+: SyntaxError/,
  },
  {
    what: 'a target that is not known anywhere',
    files: async () => {
      const files = await taxiProject();
      const data = (files['data/taxi.csv'] ?? '').replaceAll(/,[-\d.]*$/gm, ',');
      return { ...files, 'data/taxi.csv': data };
    },
    step: 'ingest',
    exitCode: invalid,
    text: /target_col: .*fare_amount/,
  },
  {
    what: 'packages that do not go together',
    files: () => spoilt('requirements.txt', /pandas.*/, 'pandas==2.2.2\npandas==2.1.0'),
    step: 'ingest',
    exitCode: invalid,
    text: /requirements\.txt/,
  },
  {
    what: 'a worker that exits',
    files: () => estimating('import os', 'os._exit(3)'),
    step: 'train',
    exitCode: invalid,
    text: /steps\/train\.py:\d+: os\._exit\(3\)/,
  },
  {
    what: 'a worker that hangs',
    files: async () => ({
      ...(await estimating('while True: pass')),
      'recipe.yaml': (
        await spoilt('recipe.yaml', '  train:\n', '  train:\n    timeout: 8s\n    retries: 0\n')
      )['recipe.yaml'] as string,
    }),
    step: 'train',
    exitCode: 9,
    text: /train did not end within 8 s/,
  },
  {
    what: 'a worker that wants more memory than it may have',
    files: async () => ({
      ...(await estimating('rows = [bytearray(50_000_000) for _ in range(100)]', 'while True: pass')),
      'recipe.yaml': (await spoilt('recipe.yaml', '  train:\n', '  train:\n    retries: 0\n'))[
        'recipe.yaml'
      ] as string,
    }),
    step: 'train',
    exitCode: 7,
    text: /needed more than 800 MB of memory/,
  },
];

describe('a project with a mistake', () => {
  test.each(badProjects)('$what fails the step $step and says where', async (bad) => {
    const answer = await millraceIn(
      await projectOf(await bad.files()),
      '--json',
      'run',
      '--profile',
      'local',
    );
    expect(answer.stderr.replaceAll('\\"', '"')).toMatch(bad.text);
    // What is Millrace's own stays out of what a user reads.
    expect(answer.stderr).not.toMatch(/libs\/|services\/|site-packages/);
    expect(answer.exitCode).toBe(bad.exitCode);
    const run = JSON.parse(answer.stdout) as Run;
    expect(run.steps.find(({ state }) => state === 'STEP_STATE_FAILED')?.name).toBe(bad.step);
  });
});

describe('a project that is killed while it trains', () => {
  let hold: string;

  beforeAll(async () => {
    hold = await mkdtemp(join(tmpdir(), 'millrace-hold-'));
  });
  afterAll(() => rm(hold, { recursive: true, force: true }));

  /** An estimator that says that it is there, and goes on once it may. Each has a project and a model of its own. */
  const holding = async (name: string): Promise<string> => {
    const files = await estimating(
      'import os, time',
      `open("${hold}/${name}", "w").close()`,
      `while not os.path.exists("${hold}/${name}.go"): time.sleep(0.02)`,
      estimator,
    );
    return projectOf(files);
  };
  const isThere = (name: string) =>
    until(name, () =>
      stat(join(hold, name)).then(
        () => true,
        () => undefined,
      ),
    );
  const mayGoOn = (name: string) => writeFile(join(hold, `${name}.go`), '');
  const pythonOf = () => processesBelow(join(millrace.dataDir, 'training'));
  const nobodyLeft = (dataDir: string) =>
    until('the end of every worker', async () =>
      (await processesBelow(join(dataDir, 'training'))).length === 0 ? true : undefined,
    );

  test('trains again when its worker was killed', async () => {
    const { id } = await submit(millrace.client, { root: await holding('worker'), profile: 'local' });
    await isThere('worker');
    for (const pid of await pythonOf()) process.kill(pid, 'SIGKILL');
    await mayGoOn('worker');
    const run = await followToEnd(millrace, id);
    expect(statesOf(run)).toEqual(cachedUpTo(3));
    await nobodyLeft(millrace.dataDir);
  });

  test('goes on when the whole installation was killed, and leaves no process behind', async () => {
    const { id } = await submit(millrace.client, { root: await holding('all'), profile: 'local' });
    await isThere('all');
    await millrace.crash();
    await nobodyLeft(millrace.dataDir);
    await mayGoOn('all');
    millrace = await TestInstallation.start({ separate: false, dataDir: millrace.dataDir });
    const run = await followToEnd(millrace, id);
    expect(statesOf(run)).toEqual(cachedUpTo(3));
  });

  test('is gone at once when it is cancelled', async () => {
    const { id } = await submit(millrace.client, { root: await holding('cancelled'), profile: 'local' });
    await isThere('cancelled');
    await millrace.client.pipeline.cancelRun({ id });
    const run = await followToEnd(millrace, id);
    expect(run.state).toBe('RUN_STATE_CANCELLED');
    await nobodyLeft(millrace.dataDir);
  });
});
