import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { PythonEnvironments } from '@millrace/python-runtime';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { loadPredictor, prepareModel } from '../src/index.ts';
import { type PythonPackages, trainPythonPackages } from '../src/testing/python-packages.ts';

const environments = PythonEnvironments.open();
let packages: PythonPackages;

beforeAll(async () => {
  packages = await trainPythonPackages(await environments.ensure({ requirements: [], needs: [] }));
}, 600_000);

type Name = keyof PythonPackages;

const load = (name: Name, limits: { callTimeoutMs?: number } = {}) =>
  loadPredictor(packages[name].files, { environments, ...limits });

/** The largest difference of two tables of numbers. */
const distance = (given: readonly (readonly number[])[], wanted: readonly (readonly number[])[]): number =>
  Math.max(...wanted.flatMap((row, at) => row.map((value, i) => Math.abs(value - (given[at]?.[i] ?? NaN)))));

describe('the package of a recipe that Python trained', () => {
  it('predicts numbers as the pipeline does', async () => {
    const predictor = await load('price');
    const prediction = await predictor.predict(predictor.inputExample);
    await predictor.close();
    if (prediction.kind !== 'regression') throw new Error('no regression');
    expect(distance([prediction.values], [packages.price.expected.predictions as number[]])).toBeLessThan(
      1e-9,
    );
  });

  it.each<[string, Name, string[], string]>([
    ['with scores', 'sold', ['false', 'true'], 'boolean'],
    ['without scores in its own answer', 'grade', ['0', '1', '2', '3'], 'integer'],
  ])('predicts labels and probabilities in the order of the classes: %s', async (_, name, classes, type) => {
    const predictor = await load(name);
    expect(predictor.signature.output).toMatchObject({ name, classes, type });
    const prediction = await predictor.predict(predictor.inputExample);
    await predictor.close();
    const { expected } = packages[name];
    if (prediction.kind !== 'classification') throw new Error('no classification');
    expect(prediction.labels).toEqual(expected.predictions.map(String));
    expect(distance(prediction.probabilities ?? [], expected.probabilities ?? [])).toBeLessThan(1e-9);
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
    await signalWorkers('SIGKILL');
    await vi.waitFor(async () => expect(await predictor.predict(predictor.inputExample)).toEqual(before), {
      timeout: 30_000,
      interval: 50,
    });
    await predictor.close();
  });

  it('is given up when it does not answer in time, and so are those that wait behind it', async () => {
    const predictor = await load('price', { callTimeoutMs: 2_000 });
    await predictor.predict(predictor.inputExample);
    await signalWorkers('SIGSTOP');
    const calls = await Promise.allSettled([1, 2].map(() => predictor.predict(predictor.inputExample)));
    await predictor.close();
    expect(calls.map((call) => (call as PromiseRejectedResult).reason.code)).toEqual([
      'timed_out',
      'unavailable',
    ]);
  });

  it('says what happens before it can answer, and has its environment built ahead', async () => {
    const lines: string[] = [];
    await prepareModel(packages.price.files, environments, { onProgress: (line) => lines.push(line) });
    const predictor = await loadPredictor(packages.price.files, {
      environments,
      onProgress: (line) => lines.push(line),
    });
    await predictor.close();
    expect(lines.at(-1)).toBe('loading the model in its Python environment');
  });

  it('does not load when a file of it is missing, naming it', async () => {
    const files = new Map(packages.price.files);
    files.delete('requirements.txt');
    await expect(loadPredictor(files, { environments })).rejects.toThrow(/^requirements\.txt: .*lacks/);
  });
});

/** Sends a signal to the Python workers that this process started. */
const signalWorkers = async (signal: NodeJS.Signals): Promise<void> => {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)]);
  for (const line of stdout.split('\n').filter((text) => text.includes('millrace.worker'))) {
    process.kill(Number(line.trim().split(' ')[0]), signal);
  }
};
