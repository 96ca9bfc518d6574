import { rm } from 'node:fs/promises';
import type { Run } from '@millrace/contracts/pipeline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { millraceCommand } from './support/cli.ts';
import { quickRecipe, someFlights, writeProject } from './support/flights-project.ts';
import { TestInstallation } from './support/installation.ts';
import { followToEnd, followToPause, modelVersionOf, submit } from './support/runs.ts';

const project = 'champion';
const seed = 1;
const rows = 400;

type Files = Readonly<Record<string, string>>;
/** The project of the champion with something wrong. */
type Spoil = (files: Files) => Files;

interface BadInput {
  readonly what: string;
  readonly spoil: Spoil;
  readonly exitCode: number;
  /** What the error must name. */
  readonly text: RegExp;
}

interface BadStep extends BadInput {
  readonly step: string;
  readonly service: string;
  readonly code: string;
}

const invalid = { exitCode: 2, code: 'invalid' } as const;
const ingest = { ...invalid, step: 'ingest', service: 'ingest' } as const;
const train = { ...invalid, step: 'train', service: 'training' } as const;

const inRecipe =
  (from: string | RegExp, to: string): Spoil =>
  (files) => ({ ...files, 'recipe.yaml': (files['recipe.yaml'] ?? '').replace(from, to) });

const inData =
  (change: (lines: string[]) => string[]): Spoil =>
  (files) => ({
    ...files,
    'data/flights.csv': change((files['data/flights.csv'] ?? '').trim().split('\n'))
      .map((line) => `${line}\n`)
      .join(''),
  });

const withEstimator =
  (code: string): Spoil =>
  (files) => ({
    ...inRecipe('linear/ridge', 'custom\n    estimator_method: estimator')(files),
    'steps/train.ts': code,
  });

const targetIs =
  (value: string): Spoil =>
  (files) =>
    inData(([header = '', ...lines]) => {
      const at = header.split(',').indexOf('arr_delay');
      return [header, ...lines.map((line) => line.split(',').with(at, value).join(','))];
    })(files);

const both =
  (first: Spoil, second: Spoil): Spoil =>
  (files) =>
    second(first(files));

const classification: Spoil = (files) =>
  [
    inRecipe('regression/v1', 'classification/v1'),
    inRecipe('target_col: arr_delay', 'target_col: origin'),
    inRecipe('primary_metric: root_mean_squared_error', 'primary_metric: accuracy_score'),
    inRecipe('root_mean_squared_error, threshold: 100', 'accuracy_score, threshold: 0.1'),
    inRecipe('linear/ridge', 'linear/logistic'),
  ].reduce((spoilt, change) => change(spoilt), files);

/** Told before anything is submitted. */
const refused: readonly BadInput[] = [
  {
    what: 'malformed YAML',
    spoil: () => ({ 'recipe.yaml': 'recipe: regression/v1\nsteps: [\n' }),
    exitCode: 2,
    text: /recipe\.yaml:3:1: YAML/,
  },
  {
    what: 'an unknown key',
    spoil: inRecipe('using: linear', 'usng: linear'),
    exitCode: 2,
    text: /recipe\.yaml:\d+:\d+ steps\.train\.usng: unknown key; did you mean "using"\?/,
  },
  {
    what: 'an unknown step',
    spoil: inRecipe('  train:', '  trian:'),
    exitCode: 2,
    text: /recipe\.yaml:\d+:\d+ steps\.trian: unknown step; did you mean "train"\?/,
  },
  {
    what: 'no target column',
    spoil: inRecipe('target_col: arr_delay\n', ''),
    exitCode: 2,
    text: /target_col/,
  },
  {
    what: 'a path that leads out of the project',
    spoil: inRecipe('data/*.csv', '../other/*.csv'),
    exitCode: 2,
    text: /recipe\.yaml:\d+:\d+ steps\.ingest\.location: "\.\.\/other\/\*\.csv" lies outside the project/,
  },
  {
    what: 'an absolute path',
    spoil: inRecipe('data/*.csv', '/etc/passwd'),
    exitCode: 2,
    text: /steps\.ingest\.location: "\/etc\/passwd" lies outside the project/,
  },
  {
    what: 'a step function that is no code',
    spoil: withEstimator('export const estimator = () => {\n  return {;\n};\n'),
    exitCode: 2,
    text: /steps\/train\.ts:2: is not valid code/,
  },
];

/** Found by the step whose business it is. */
const failed: readonly BadStep[] = [
  {
    ...ingest,
    what: 'a target column that the data lacks',
    spoil: inRecipe('arr_delay', 'delay_of_arrival'),
    text: /ingest: target_col: the data has no column "delay_of_arrival"/,
  },
  {
    ...ingest,
    what: 'an empty file',
    spoil: (files) => ({ ...files, 'data/flights.csv': '' }),
    text: /data\/flights\.csv: the file is empty/,
  },
  {
    ...ingest,
    what: 'a file without rows',
    spoil: inData((lines) => lines.slice(0, 1)),
    text: /data\/flights\.csv: there are columns but no rows/,
  },
  {
    ...ingest,
    what: 'a CSV line with too many fields',
    spoil: inData((lines) => lines.with(6, `${lines[6]},1`)),
    text: /data\/flights\.csv:7: expected 12 fields, found 13/,
  },
  {
    ...ingest,
    what: 'a CSV line with too many fields by far',
    spoil: inData((lines) => lines.with(6, `${lines[6]},7,8,9`)),
    text: /data\/flights\.csv:7: expected 12 fields, found 13 or more/,
  },
  {
    ...ingest,
    what: 'a CSV line with too few fields',
    spoil: inData((lines) => lines.with(6, 'AA1')),
    text: /data\/flights\.csv:7: expected 12 fields, found 1"/,
  },
  {
    ...ingest,
    what: 'a target that is no number',
    spoil: targetIs('late'),
    text: /target_col: regression needs numbers, but column "arr_delay" is string \(for instance "late"\)/,
  },
  {
    ...ingest,
    what: 'one class only',
    spoil: both(
      classification,
      inData(([header = '', ...lines]) => [header, ...lines.filter((line) => line.includes(',EWR,'))]),
    ),
    text: /target_col: classification needs two classes or more, but column "origin" holds only EWR/,
  },
  {
    ...ingest,
    what: 'data that breaks its contract',
    spoil: inRecipe('  split:', '    contract:\n      columns:\n        distance: { max: 10 }\n  split:'),
    text: /steps\.ingest\.contract\.columns\.distance\.max/,
  },
  {
    ...train,
    what: 'a step function that throws',
    spoil: withEstimator('export const estimator = () => {\n  throw new Error("no luck");\n};\n'),
    text: /train: steps\/train\.ts:2:\d+: no luck/,
  },
  {
    ...train,
    what: 'a step function that is not there',
    spoil: withEstimator('export const other = () => ({});\n'),
    text: /steps\/train\.ts.*estimator/,
  },
  {
    what: 'a failed gate',
    spoil: inRecipe('threshold: 100', 'threshold: 0.001'),
    exitCode: 5,
    code: 'failed_precondition',
    step: 'evaluate',
    service: 'evaluation',
    text: /root_mean_squared_error <= 0\.001: [\d.]+ is above 0\.001/,
  },
];

let millrace: TestInstallation;
let good: Files;

beforeAll(async () => {
  good = { 'recipe.yaml': quickRecipe(project, seed), 'data/flights.csv': await someFlights(rows) };
  millrace = await TestInstallation.start({ separate: false });
  const root = await writeProject(good);
  const { id } = await submit(millrace.client, { root });
  const paused = await followToPause(millrace, id);
  await millrace.client.registry.approveModelVersion({ ...modelVersionOf(paused) });
  expect((await followToEnd(millrace, id)).state).toBe('RUN_STATE_SUCCEEDED');
  await rm(root, { recursive: true, force: true });
});

afterAll(async () => {
  await millrace?.stop();
});

/** What a bad run must leave as it was. */
const state = async () => {
  const { client } = millrace;
  return {
    datasets: (await client.ingest.listDatasets()).datasets,
    versions: (await client.registry.listModelVersions({ model: project })).modelVersions,
    moves: (await client.registry.listAliasHistory({ model: project })).moves,
    endpoint: await client.deployment.getEndpoint({ name: project }),
    monitor: await client.monitoring.getMonitor({ endpoint: project }),
    deadLetters: await client.deadLetters(),
  };
};

const runsOfProject = async () => (await millrace.client.pipeline.listRuns({ project })).runs;

const runSpoilt = async (spoil: Spoil) => {
  const root = await writeProject(spoil(good));
  const answer = await millraceCommand(['--json', 'run'], { dataDir: millrace.dataDir, cwd: root });
  await rm(root, { recursive: true, force: true });
  // A user's error is told in one line, without our code's places.
  expect(answer.stderr.trim().split('\n')).toHaveLength(1);
  expect(answer.stderr).not.toMatch(/libs\/|services\/|node:internal/);
  return answer;
};

/** The error's text, as it was before it became JSON. */
const told = ({ stderr }: { readonly stderr: string }): string => stderr.replaceAll('\\"', '"');

test.each(refused)('$what is refused before anything is submitted', async ({ spoil, exitCode, text }) => {
  const [before, runs] = [await state(), await runsOfProject()];
  const answer = await runSpoilt(spoil);
  expect(told(answer)).toMatch(text);
  expect(answer).toMatchObject({ exitCode, stdout: '' });
  expect(await runsOfProject()).toEqual(runs);
  expect(await state()).toEqual(before);
});

test.each(failed)('$what fails the step $step, and nothing changes', async (bad) => {
  const before = await state();
  const answer = await runSpoilt(bad.spoil);
  expect(told(answer)).toMatch(bad.text);
  expect(answer.exitCode).toBe(bad.exitCode);
  const run = JSON.parse(answer.stdout) as Run;
  expect(run.state).toBe('RUN_STATE_FAILED');
  const at = run.steps.findIndex(({ name }) => name === bad.step);
  expect(run.steps[at]).toMatchObject({ state: 'STEP_STATE_FAILED', attempt: 1, error: { code: bad.code } });
  expect(run.steps.slice(at + 1).every((step) => step.state === 'STEP_STATE_SKIPPED')).toBe(true);
  const event = await millrace.log.waitFor(
    'the event of the failed step',
    ({ type, key }) => type === `millrace.${bad.service}.step.failed.v1` && key === `${run.id}.${bad.step}.1`,
  );
  expect(event.data).toMatchObject({ result: { step: bad.step, error: { code: bad.code } } });
  await millrace.log.waitFor(
    'the event of the failed run',
    ({ type, key }) => type === 'millrace.pipeline.run.failed.v1' && key === run.id,
  );
  // Data that is good stays registered; what a bad step would have made is not there.
  expect(await state()).toEqual(before);
});

test('the good project still runs, from the cache', async () => {
  const root = await writeProject(good);
  const answer = await millraceCommand(['--json', 'run'], { dataDir: millrace.dataDir, cwd: root });
  await rm(root, { recursive: true, force: true });
  expect(answer).toMatchObject({ exitCode: 0, stderr: '' });
  const run = JSON.parse(answer.stdout) as Run;
  expect(run.state).toBe('RUN_STATE_SUCCEEDED');
  expect(run.steps.slice(0, 3).map((step) => step.state)).toEqual(Array(3).fill('STEP_STATE_CACHED'));
});
