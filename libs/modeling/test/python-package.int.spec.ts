import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type PythonEnvironment, PythonEnvironments, pythonLibrary } from '@millrace/python-runtime';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadPredictor, type PackageFiles, prepareModel } from '../src/index.ts';

const script = fileURLToPath(new URL('fixtures/recipe_package.py', import.meta.url));
const environments = PythonEnvironments.open();
let environment: PythonEnvironment;
let directory: string;

beforeAll(async () => {
  environment = await environments.ensure({ requirements: [], needs: [] });
  directory = await mkdtemp(join(tmpdir(), 'millrace-packages-'));
  const lock = join(directory, 'lock.txt');
  await writeFile(lock, environment.lock);
  await promisify(execFile)(environment.python, ['-B', script, directory, environment.pythonVersion, lock], {
    env: { PYTHONPATH: pythonLibrary },
  });
}, 600_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

const packageOf = async (name: string): Promise<PackageFiles> => {
  const root = join(directory, name);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(async (entry): Promise<[string, Uint8Array]> => {
      const path = join(entry.parentPath, entry.name);
      return [relative(root, path), await readFile(path)];
    });
  return new Map(await Promise.all(files));
};

const expectedOf = async (name: string) =>
  JSON.parse(await readFile(join(directory, `${name}.json`), 'utf8')) as {
    predictions: (number | boolean)[];
    probabilities: number[][];
  };

const load = async (name: string, limits: { callTimeoutMs?: number } = {}) =>
  loadPredictor(await packageOf(name), { environments, ...limits });

/** The largest difference of two tables of numbers. */
const distance = (given: readonly (readonly number[])[], wanted: readonly (readonly number[])[]): number =>
  Math.max(...wanted.flatMap((row, at) => row.map((value, i) => Math.abs(value - (given[at]?.[i] ?? NaN)))));

describe('the package of a recipe that Python trained', () => {
  it('predicts numbers as the pipeline does', async () => {
    const predictor = await load('price');
    const prediction = await predictor.predict(predictor.inputExample);
    await predictor.close();
    if (prediction.kind !== 'regression') throw new Error('no regression');
    expect(distance([prediction.values], [(await expectedOf('price')).predictions as number[]])).toBeLessThan(
      1e-9,
    );
  });

  it.each([
    ['with scores', 'sold', ['false', 'true'], 'boolean'],
    ['without scores in its own answer', 'grade', ['0', '1', '2', '3'], 'integer'],
  ])('predicts labels and probabilities in the order of the classes: %s', async (_, name, classes, type) => {
    const predictor = await load(name);
    expect(predictor.signature.output).toMatchObject({ name, classes, type });
    const prediction = await predictor.predict(predictor.inputExample);
    await predictor.close();
    const expected = await expectedOf(name);
    if (prediction.kind !== 'classification') throw new Error('no classification');
    expect(prediction.labels).toEqual(expected.predictions.map(String));
    expect(distance(prediction.probabilities ?? [], expected.probabilities)).toBeLessThan(1e-9);
  });

  it('takes rows with missing values where the training data had some, and refuses wrong ones', async () => {
    const predictor = await load('price');
    const [row = {}] = predictor.inputExample;
    const { town: _, ...without } = row;
    expect(await predictor.predict([without])).toMatchObject({ values: [expect.any(Number)] });
    expect(() => predictor.tableOf([{ ...row, rooms: 'many' }])).toThrow(/inputs\[0\]\.rooms/);
    await predictor.close();
  });

  it('answers again after its process was killed', async () => {
    const predictor = await load('price');
    const before = await predictor.predict(predictor.inputExample);
    await killWorkers();
    await vi.waitFor(async () => expect(await predictor.predict(predictor.inputExample)).toEqual(before), {
      timeout: 30_000,
      interval: 50,
    });
    await predictor.close();
  });

  it('is given up when it does not answer in time, and so are those that wait behind it', async () => {
    const predictor = await load('price', { callTimeoutMs: 1 });
    const calls = await Promise.allSettled([1, 2].map(() => predictor.predict(predictor.inputExample)));
    await predictor.close();
    expect(calls.map((call) => (call as PromiseRejectedResult).reason.code)).toEqual([
      'timed_out',
      'unavailable',
    ]);
  });

  it('says what happens before it can answer, and has its environment built ahead', async () => {
    const lines: string[] = [];
    await prepareModel(await packageOf('price'), environments, { onProgress: (line) => lines.push(line) });
    const predictor = await loadPredictor(await packageOf('price'), {
      environments,
      onProgress: (line) => lines.push(line),
    });
    await predictor.close();
    expect(lines.at(-1)).toBe('loading the model in its Python environment');
  });

  it('does not load when a file of it is missing, naming it', async () => {
    const files = new Map(await packageOf('price'));
    files.delete('requirements.txt');
    await expect(loadPredictor(files, { environments })).rejects.toThrow(/^requirements\.txt: .*lacks/);
  });
});

/** Kills the Python workers that this process started. */
const killWorkers = async (): Promise<void> => {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)]);
  for (const line of stdout.split('\n').filter((text) => text.includes('millrace.worker'))) {
    process.kill(Number(line.trim().split(' ')[0]), 'SIGKILL');
  }
};
