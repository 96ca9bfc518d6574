import type { Table } from '@millrace/tabular';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  examplesOf,
  loadPredictor,
  manifestOf,
  parseManifest,
  readPackage,
  type Task,
  withoutColumns,
} from '../src/index.ts';
import { trainPackage } from '../src/testing/train-package.ts';
import { people } from './people.ts';

const cases = [
  { using: 'ydf/gradient_boosted_trees', task: 'regression', target: 'income' },
  { using: 'ydf/gradient_boosted_trees', task: 'classification', target: 'level' },
  { using: 'ydf/gradient_boosted_trees', task: 'classification', target: 'wealthy' },
  { using: 'ydf/random_forest', task: 'classification', target: 'wealthy' },
  { using: 'trees/gradient_boosting', task: 'regression', target: 'income' },
  { using: 'trees/gradient_boosting', task: 'classification', target: 'wealthy' },
  { using: 'trees/gradient_boosting', task: 'classification', target: 'level' },
  { using: 'linear/logistic', task: 'classification', target: 'level' },
  { using: 'baseline/mean', task: 'regression', target: 'income' },
  { using: 'baseline/majority', task: 'classification', target: 'level' },
] as const;

const targets = ['income', 'level', 'wealthy'];

/** On the columns that are not targets. */
const train = (people: Table, task: Task, target: string, using: string) => {
  const others = targets.filter((name) => name !== target);
  return trainPackage({ table: withoutColumns(people, others), task, target, using });
};

describe('a model package', () => {
  for (const { using, task, target } of cases) {
    it(`of ${using} for ${target} answers after a round trip through its manifest`, async () => {
      const files = await train(people(300), task, target, using);
      const { bytes, manifest } = manifestOf(files);
      const blobs = new Map(manifest.files.map((file) => [file.digest, files.get(file.path)]));
      const read = await readPackage(bytes, async (digest) => blobs.get(digest) ?? new Uint8Array());
      const predictor = await loadPredictor(read);
      const fresh = people(50, 9);
      const prediction = await predictor.predict(fresh);
      const truth = examplesOf(fresh, target, task).target;
      if (prediction.kind === 'regression' && truth.kind === 'regression') {
        const error = Math.max(
          ...prediction.values.map((value, row) => Math.abs(value - (truth.values[row] ?? 0))),
        );
        expect(error).toBeLessThan(!using.startsWith('baseline') ? 900 : 4000);
      }
      if (prediction.kind === 'classification' && truth.kind === 'classification') {
        expect(prediction.classes).toEqual(truth.classes);
        const right = prediction.labels.filter(
          (label, row) => label === truth.classes[truth.indices[row] ?? -1],
        );
        expect(right.length).toBeGreaterThan(!using.startsWith('baseline') ? 40 : 10);
        for (const row of prediction.probabilities ?? [])
          expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      }
      await predictor.close();
    });
  }

  it('has the same digest whenever the same data and seed are trained on', async () => {
    const digests = await Promise.all(
      [1, 2].map(
        async () =>
          manifestOf(await train(people(200), 'regression', 'income', 'ydf/gradient_boosted_trees')).digest,
      ),
    );
    expect(digests[0]).toBe(digests[1]);
  });

  it('is laid out as an MLflow model directory', async () => {
    const files = await train(people(50), 'classification', 'level', 'baseline/majority');
    expect([...files.keys()].sort()).toEqual([
      'MLmodel',
      'environment.json',
      'input_example.json',
      'model.json',
      'model/baseline.json',
      'signature.json',
      'transform.json',
    ]);
    const mlmodel = parse(new TextDecoder().decode(files.get('MLmodel')));
    expect(JSON.parse(mlmodel.signature.inputs)).toEqual([
      { type: 'long', name: 'age', required: true },
      { type: 'string', name: 'city', required: true },
      { type: 'boolean', name: 'member', required: true },
      { type: 'datetime', name: 'joined', required: true },
      { type: 'double', name: 'score', required: false },
    ]);
  });

  it('answers its own input example', async () => {
    const predictor = await loadPredictor(
      await train(people(60), 'regression', 'income', 'ydf/gradient_boosted_trees'),
    );
    const prediction = await predictor.predict(predictor.inputExample);
    expect(prediction.kind === 'regression' && prediction.values.length).toBe(5);
  });

  it('gives a table and its rows the same answer', async () => {
    const predictor = await loadPredictor(
      await train(people(60), 'regression', 'income', 'ydf/gradient_boosted_trees'),
    );
    const table = people(5, 3);
    const rows = Array.from({ length: 5 }, (_, row) =>
      Object.fromEntries(
        table.columns
          .filter(({ name }) => !targets.includes(name))
          .map((column) => [column.name, column.values[row]]),
      ),
    );
    expect(await predictor.predict(rows)).toEqual(await predictor.predict(table));
  });

  it('accepts a category and a missing value that training never saw', async () => {
    const predictor = await loadPredictor(
      await train(people(60), 'regression', 'income', 'ydf/gradient_boosted_trees'),
    );
    const [row] = predictor.inputExample;
    const prediction = await predictor.predict([{ ...row, city: 'Atlantis', age: null }]);
    expect(prediction.kind === 'regression' && Number.isFinite(prediction.values[0])).toBe(true);
  });

  it('refuses input outside its signature, naming row and field', async () => {
    const predictor = await loadPredictor(await train(people(60), 'regression', 'income', 'baseline/mean'));
    const row = predictor.inputExample[0] ?? {};
    const { city: _city, ...withoutCity } = row;
    const wrong = [row, withoutCity, { ...row, age: 1.5, score: 'high', joined: 'tomorrow', member: 1 }];
    await expect(predictor.predict(wrong)).rejects.toMatchObject({
      code: 'invalid',
      violations: [
        { path: 'inputs[2].age', message: 'expected a whole number, found 1.5' },
        { path: 'inputs[1].city', message: 'the field is missing' },
        { path: 'inputs[2].member', message: 'expected true or false, found 1' },
        {
          path: 'inputs[2].joined',
          message: 'expected an ISO 8601 time or epoch milliseconds, found "tomorrow"',
        },
        { path: 'inputs[2].score', message: 'expected a number, found "high"' },
      ],
    });
    await expect(predictor.predict([{ ...row, colour: 'red' }], { extra: 'reject' })).rejects.toThrow(
      'inputs[0].colour: is not a feature of this model',
    );
  });

  it('is refused when its manifest points outside or a blob is not what its name says', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const manifest = (path: string) =>
      new TextEncoder().encode(
        JSON.stringify({ format: 'millrace.model/v1', files: [{ path, digest, size: 1 }] }),
      );
    expect(() => parseManifest(manifest('../secret'))).toThrow('relative path inside the package');
    expect(() => parseManifest(manifest('/etc/passwd'))).toThrow('relative path inside the package');
    await expect(readPackage(manifest('a'), async () => new Uint8Array([1]))).rejects.toThrow(
      'does not match',
    );
  });
});
