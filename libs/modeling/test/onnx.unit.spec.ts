import { readFileSync } from 'node:fs';
import type { Table } from '@millrace/tabular';
import { describe, expect, it } from 'vitest';
import { inspectOnnx } from '../src/onnx/inspect.ts';
import { OnnxModel } from '../src/onnx/onnx-model.ts';
import { encodeField } from '../src/onnx/protobuf.ts';
import type { Signature } from '../src/package/signature.ts';
import expected from './fixtures/onnx/expected.json' with { type: 'json' };

const fixture = (name: string) => readFileSync(new URL(`fixtures/onnx/${name}.onnx`, import.meta.url));
const text = (value: string) => new TextEncoder().encode(value);
const message = (...fields: Uint8Array[]) => Buffer.concat(fields);
const field = (number: number, content: string | Uint8Array) =>
  encodeField(number, typeof content === 'string' ? text(content) : content);
const varint = (number: number, value: number) => Uint8Array.from([number << 3, value]);

const inputs = [
  { name: 'size', type: 'number', nullable: true },
  { name: 'rooms', type: 'integer', nullable: false },
  { name: 'town', type: 'string', nullable: false },
] as const;
const classifier: Signature = {
  inputs,
  output: { task: 'classification', name: 'sold', type: 'string', classes: ['no', 'yes'] },
};
const regressor: Signature = {
  inputs: inputs.slice(0, 2),
  output: { task: 'regression', name: 'price', type: 'number' },
};

const tableOf = (features: Signature['inputs'], rows: readonly Record<string, unknown>[]): Table => ({
  rowCount: rows.length,
  columns: features.map(({ name, type }) => ({ name, type, values: rows.map((row) => row[name]) }) as never),
});
const table = tableOf(inputs, expected.rows);

const open = (name: string, signature: Signature) =>
  OnnxModel.open(new Map([['model.onnx', fixture(name)]]), 'model.onnx', signature);

describe('a model in the ONNX format', () => {
  it.each([
    ['columns of each type', 'columns', 1e-9],
    ['columns with a ZipMap behind the probabilities', 'zipmap', 1e-6],
  ])('answers as scikit-learn does: %s', async (_, name, tolerance) => {
    const model = await open(name, classifier);
    const prediction = await model.predict(table);
    await model.close();
    expect(prediction).toMatchObject({ kind: 'classification', labels: expected.labels });
    if (prediction.kind !== 'classification') throw new Error('no classification');
    for (const [row, probabilities] of expected.probabilities.entries()) {
      for (const [position, probability] of probabilities.entries()) {
        const given = prediction.probabilities?.[row]?.[position] ?? Number.NaN;
        expect(Math.abs(given - probability)).toBeLessThan(tolerance);
      }
    }
  });

  it('takes all columns as one matrix', async () => {
    const model = await open('matrix', regressor);
    const prediction = await model.predict(tableOf(regressor.inputs, expected.rows));
    await model.close();
    if (prediction.kind !== 'regression') throw new Error('no regression');
    for (const [row, value] of expected.values.entries()) {
      expect(Math.abs((prediction.values[row] ?? Number.NaN) - value)).toBeLessThan(1e-5);
    }
  });

  it('names row and column where a text or a whole number is missing', async () => {
    const model = await open('columns', classifier);
    const rows = [expected.rows[0] ?? {}, { size: 1, rooms: 2, town: null }];
    await expect(model.predict(tableOf(inputs, rows))).rejects.toThrow(/^inputs\[1\]\.town: is missing/);
    await model.close();
  });

  it('is refused when its inputs are not the columns of the signature', async () => {
    const signature = { ...classifier, inputs: inputs.slice(0, 2) };
    await expect(open('columns', signature)).rejects.toThrow(/input "town" .* no column of the signature/);
  });
});

describe('an ONNX file is refused', () => {
  const external = (...entries: [string, string][]) =>
    message(
      field(8, 'weights'),
      ...entries.map(([key, value]) => field(13, message(field(1, key), field(2, value)))),
      varint(14, 1),
    );
  const modelWith = (...graph: Uint8Array[]) => field(7, message(...graph, field(12, field(1, 'y'))));
  const inspect = (bytes: Uint8Array) =>
    inspectOnnx(
      new Map([
        ['m/model.onnx', bytes],
        ['m/weights', text('12345678')],
      ]),
      'm/model.onnx',
    );

  it.each(['../../etc/passwd', '/etc/passwd', 'a/../../b', './weights', 'a//b', '..\\b', ''])(
    'when it keeps tensors outside the package: %s',
    (location) => {
      const bytes = modelWith(field(5, external(['location', location])));
      expect(() => inspect(bytes)).toThrow(/outside the package/);
    },
  );

  it('when they are hidden in an attribute, a subgraph, a sparse tensor, a function or a second graph', () => {
    const tensor = external(['location', '../secret']);
    const node = (attribute: Uint8Array) => field(1, field(5, attribute));
    const hidden = [
      modelWith(node(field(5, tensor))),
      modelWith(node(field(10, tensor))),
      modelWith(node(field(6, field(5, tensor)))),
      modelWith(node(field(22, field(1, tensor)))),
      modelWith(field(15, field(2, tensor))),
      message(modelWith(), field(25, field(7, field(5, field(5, tensor))))),
      message(modelWith(), modelWith(field(5, tensor))),
    ];
    for (const bytes of hidden) expect(() => inspect(bytes)).toThrow(/outside the package/);
  });

  it('when a file of its tensors is absent or too short', () => {
    const of = (...entries: [string, string][]) => modelWith(field(5, external(...entries)));
    expect(() => inspect(of(['location', 'absent']))).toThrow(/which the package does not have/);
    expect(() => inspect(of(['location', 'weights'], ['offset', '4'], ['length', '5']))).toThrow(
      /beyond the end/,
    );
    expect(inspect(of(['location', 'weights'], ['offset', '4'], ['length', '4']))).toMatchObject({
      externalFiles: ['m/weights'],
    });
  });

  it('when it uses operators of a library that is not there', () => {
    const bytes = modelWith(field(1, message(field(4, 'Run'), field(7, 'evil.ops'))));
    expect(() => inspect(bytes)).toThrow(/uses operators of evil\.ops/);
    expect(() => inspect(message(bytes, field(25, field(10, 'evil.ops'))))).not.toThrow();
  });

  it('when graphs nest without end', () => {
    let graph: Uint8Array = new Uint8Array();
    for (let depth = 0; depth < 40; depth += 1) graph = field(1, field(5, field(6, graph)));
    expect(() => inspect(modelWith(graph))).toThrow(/more than 32 deep/);
  });

  it.each([
    ['random bytes', text('this is no model')],
    ['a truncated model', fixture('columns').subarray(0, 500)],
    ['nothing', new Uint8Array()],
  ])('when it is %s', (_, bytes) => {
    expect(() => inspect(bytes)).toThrow(/damaged|no ONNX model/);
  });
});
