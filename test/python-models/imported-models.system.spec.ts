import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestInstallation } from '../support/installation.ts';
import { processesBelow } from '../support/python-projects.ts';
import { until } from '../support/wait.ts';
import { type Import, ModelUser } from './imported-model.ts';
import { StockMlflow } from './stock-mlflow.ts';

/** Models that stock MLflow saved, the whole way that a user takes with them. */

const requirements = [
  'mlflow==3.17.2',
  'scikit-learn==1.5.2',
  'skops',
  'xgboost-cpu==2.1.4; python_version < "3.13"',
  'xgboost; python_version >= "3.13"',
  'lightgbm==4.7.0',
  'onnx==1.19.1',
  'onnxruntime',
];
const buildTimeoutMs = 900_000;

let stock: StockMlflow;
let millrace: TestInstallation;
let user: ModelUser;
/** Where the services keep what is temporary. */
let scratch: string;

beforeAll(async () => {
  stock = await StockMlflow.open(requirements);
  // What this one needs MLflow finds out by itself, as for most users.
  await stock.save(['sklearn']);
  await stock.save(
    ['sklearn_pickle', 'xgboost', 'lightgbm', 'onnx', 'custom', 'malicious', 'unsigned'],
    requirements,
  );
  scratch = await mkdtemp(join(tmpdir(), 'millrace-scratch-'));
  millrace = await TestInstallation.start({ separate: false, env: { TMPDIR: scratch } });
  user = new ModelUser(millrace, stock);
}, buildTimeoutMs);

afterAll(async () => {
  await millrace?.stop();
  await stock?.close();
  if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
});

const threeClasses = ['--task', 'classification', '--classes', 'low,middle,high'];

describe('a model that stock MLflow saved', () => {
  test.each<Import>([
    { name: 'sklearn', shown: /python_function sklearn(?! \(pickle)/, tolerance: 0 },
    { name: 'sklearn_pickle', shown: /sklearn \(pickle: clean\)/, tolerance: 1e-12 },
    { name: 'xgboost', shown: /python_function xgboost/, tolerance: 1e-12 },
    { name: 'lightgbm', options: threeClasses, shown: /lightgbm python_function/, tolerance: 1e-12 },
    // Two builds of ONNX Runtime may round the last of 24 bits in two ways.
    { name: 'onnx', shown: /onnx python_function/, tolerance: 1e-6 },
    { name: 'custom', shown: /python_function \(pickle: unknown\)/, tolerance: 1e-12 },
  ])(
    '($name) is imported, served as MLflow predicts, and exported for MLflow',
    async (model) => {
      await user.bringsIn(model);
    },
    buildTimeoutMs,
  );

  test('is exported only to where nothing is, and only what there is', async () => {
    const taken = join(stock.root, 'taken');
    await mkdir(taken);
    await writeFile(join(taken, 'notes.txt'), 'mine');
    expect(await user.tries('models', 'export', 'onnx/1', taken)).toMatchObject({
      exitCode: 4,
      stderr: expect.stringMatching(/taken is there already[\s\S]*not there yet, or is empty/),
    });
    expect(await readdir(taken)).toEqual(['notes.txt']);
    const answer = await user.tries('models', 'export', 'onnx/9', join(stock.root, 'ninth'));
    expect(answer).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('onnx') });
  });
});

describe('a directory that is refused', () => {
  const modelsThere = () => user.does('models', 'list');
  /** Working directories of workers and of models. */
  const leftBehind = async () => (await readdir(scratch)).filter((name) => name.startsWith('millrace-'));

  /** Imports it and expects the error and that nothing came of it. */
  const isRefused = async (directory: string, exitCode: number, message: RegExp): Promise<void> => {
    const [models, temporary] = [await modelsThere(), await leftBehind()];
    const answer = await user.importsDirectory(directory, 'refused');
    expect(answer).toMatchObject({ exitCode, stderr: expect.stringMatching(message) });
    // What is Millrace's own stays out of what a user reads.
    expect(answer.stderr).not.toMatch(/libs\/|services\/|site-packages/);
    expect(await modelsThere()).toBe(models);
    expect(await leftBehind()).toEqual(temporary);
  };

  /** A copy of the model with a line of its `MLmodel` changed. */
  const withMlmodel = async (name: string, change: (text: string) => string): Promise<string> => {
    const directory = await mkdtemp(join(stock.root, 'spoilt-'));
    await cp((await stock.model(name)).directory, directory, { recursive: true });
    const path = join(directory, 'MLmodel');
    const [text, changed] = [await readFile(path, 'utf8'), change(await readFile(path, 'utf8'))];
    expect(changed).not.toBe(text);
    await writeFile(path, changed);
    return directory;
  };

  test('for a pickle that would run a command does not run it, and leaves nothing behind', async () => {
    const workers = new Set(await processesBelow(scratch));
    await isRefused(
      join(stock.root, 'malicious', 'model'),
      5,
      /pickles are dangerous, so it was not loaded: model\.pkl: posix\.system may run anything[\s\S]*--allow-dangerous-pickles/,
    );
    expect(await stat(join(stock.root, 'malicious', 'ran')).catch(() => undefined)).toBeUndefined();
    // Those of the deployed models stay.
    await until('the end of its worker', async () =>
      (await processesBelow(scratch)).every((pid) => workers.has(pid)) ? true : undefined,
    );
  });

  test('for want of a signature and of an example says how to save it', async () => {
    await isRefused(
      join(stock.root, 'unsigned', 'model'),
      2,
      /MLmodel\.signature: the model has neither a signature nor an input example[\s\S]*infer_signature/,
    );
  });

  test.each<[string, (text: string) => string, RegExp]>([
    ['whose MLmodel is no YAML', () => 'flavors: [', /MLmodel: is not YAML/],
    ['whose MLmodel is a list', () => '- flavors\n', /MLmodel: is not a mapping/],
    ['whose MLmodel names no flavor', () => 'model_uuid: 1\n', /MLmodel\.flavors: names no flavor/],
    [
      'whose signature is broken',
      (text) => text.replace(/inputs: '[\s\S]*?\n {2}outputs/, "inputs: '[{'\n  outputs"),
      /MLmodel\.signature\.inputs: is not JSON/,
    ],
    [
      'of a flavor without python_function',
      () => 'flavors:\n  mleap:\n    mleap_version: 0.20.0\n',
      /MLmodel\.flavors: has no python_function[\s\S]*It has: mleap/,
    ],
    [
      'of a flavor that MLflow does not have',
      (text) => text.replace('loader_module: mlflow.xgboost', 'loader_module: mlflow.unheard_of'),
      /MLmodel\.flavors\.python_function\.loader_module: mlflow\.unheard_of is not in the model's environment/,
    ],
  ])('%s', async (_, change, message) => {
    await isRefused(await withMlmodel('xgboost', change), 2, message);
  });
});
