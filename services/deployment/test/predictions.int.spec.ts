import { Strategy } from '@millrace/contracts/deployment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, Lab } from './lab.ts';
import { classifier, codeModel, constantModel } from './packages.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
  await lab.register('flights', 1, await constantModel(1));
  await lab.register('late', 1, await classifier('no', 'yes'));
  await lab.register('flag', 1, await classifier(0, 1));
  await lab.register(
    'brittle',
    1,
    codeModel(`
      if (distance === 1) return NaN;
      if (distance === 2) return Infinity;
      if (distance === 3) throw new Error('no answer');
      return distance;`),
  );
  for (const model of ['flights', 'late', 'flag', 'brittle']) {
    await lab.deploy({
      endpoint: model,
      model,
      modelVersion: 1,
      policy: { strategy: Strategy.STRATEGY_DIRECT } as never,
    });
  }
});
afterAll(() => lab.stop());

const row = { distance: 5000, city: 'Bern' };
const invoke = (body: unknown, endpoint = 'late') => lab.call(`/endpoints/${endpoint}/invocations`, body);

describe('/invocations', () => {
  const forms: readonly [string, object][] = [
    ['dataframe_records', { dataframe_records: [row, { ...row, distance: 100 }] }],
    [
      'dataframe_split',
      {
        dataframe_split: {
          columns: ['city', 'distance'],
          data: [
            ['Bern', 5000],
            ['Bern', 100],
          ],
        },
      },
    ],
    [
      'instances',
      {
        instances: [
          [5000, 'Bern'],
          [100, 'Bern'],
        ],
      },
    ],
    ['inputs', { inputs: { distance: [5000, 100], city: ['Bern', 'Bern'] } }],
  ];

  it.each(forms)('answers %s', async (_, body) => {
    const { status, body: answer, headers } = await invoke(body);
    expect(status).toBe(200);
    expect(answer).toMatchObject({ predictions: ['yes', 'no'], classes: ['no', 'yes'], revision: 1 });
    expect(answer.probabilities[0][1]).toBeGreaterThan(0.5);
    expect(new Set(answer.prediction_ids).size).toBe(2);
    expect(headers).toMatchObject({ 'millrace-revision': '1', 'millrace-model-version': 'late/1' });
  });

  it.each<[string, unknown, RegExp]>([
    ['no form', {}, /exactly one of dataframe_split/],
    ['two forms', { inputs: [], instances: [] }, /exactly one/],
    ['no object', [1], /JSON object/],
    ['no rows', { instances: [] }, /instances: has no rows/],
    ['columns of different lengths', { inputs: { distance: [1, 2], city: ['Bern'] } }, /inputs\.city/],
    [
      'a row of the wrong length',
      { dataframe_split: { columns: ['a'], data: [[1, 2]] } },
      /dataframe_split\.data\[0\]/,
    ],
    ['a row that is none', { instances: ['x'] }, /instances\[0\]/],
    [
      'text for a number',
      { dataframe_records: [row, { ...row, distance: 'far' }] },
      /dataframe_records\[1\]\.distance/,
    ],
    ['a feature left out', { dataframe_records: [{ city: 'Bern' }] }, /dataframe_records\[0\]\.distance/],
    ['more rows than one request takes', { instances: Array(10_001).fill([1, 'a']) }, /more than 10000 rows/],
  ])('refuses %s, naming the place', async (_, body, message) => {
    const answer = await invoke(body);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatchObject({ code: 'invalid', message: expect.stringMatching(message) });
  });

  it('answers classes in the type of the target column, as the protocol too does', async () => {
    expect((await invoke({ dataframe_records: [row] }, 'flag')).body.predictions).toEqual([1]);
    const inputs = [
      { name: 'distance', datatype: 'FP64', shape: [1], data: [100] },
      { name: 'city', datatype: 'BYTES', shape: [1], data: ['Bern'] },
    ];
    const { body } = await lab.call('/v2/models/flag/infer', { inputs });
    expect(body.outputs[0]).toEqual({ name: 'late', datatype: 'INT64', shape: [1], data: [0] });
  });

  it('refuses what is no JSON', async () => {
    expect(await invoke('{"inputs":')).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } });
  });
});

describe('the Open Inference Protocol', () => {
  const tensor = (name: string, datatype: string, data: unknown[], shape = [data.length]) => ({
    name,
    datatype,
    shape,
    data,
  });
  const inputs = [tensor('distance', 'FP64', [5000, 100]), tensor('city', 'BYTES', ['Bern', 'Bern'])];
  const infer = (body: unknown) => lab.call('/v2/models/late/infer', body);

  it('answers tensors with tensors', async () => {
    const { status, body } = await infer({ id: 'a1', inputs });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: 'a1', model_name: 'late', model_version: '1' });
    const [labels, probabilities] = body.outputs;
    expect(labels).toEqual({ name: 'late', datatype: 'BYTES', shape: [2], data: ['yes', 'no'] });
    expect(probabilities).toMatchObject({
      datatype: 'FP64',
      shape: [2, 2],
      parameters: { classes: ['no', 'yes'] },
    });
    expect(probabilities.data).toHaveLength(4);
    expect(body.parameters.prediction_ids).toHaveLength(2);
  });

  it('takes columns of shape [n, 1], flat or nested, and gives only the outputs asked for', async () => {
    const nested = [
      tensor('distance', 'INT64', [[5000], [100]], [2, 1]),
      tensor('city', 'BYTES', ['a', 'b'], [2, 1]),
    ];
    const { status, body } = await infer({ inputs: nested, outputs: [{ name: 'late' }] });
    expect([status, body.outputs.map(({ name }: { name: string }) => name)]).toEqual([200, ['late']]);
  });

  it('takes all features as one matrix in the order of the signature', async () => {
    const matrix = (data: unknown[]) => ({ inputs: [tensor('input', 'BYTES', data, [1, 2])] });
    const { status, body } = await infer(matrix([['5000', 'Bern']]));
    expect([status, body.error.message]).toEqual([400, expect.stringMatching(/inputs\[0\]\.distance/)]);
    const short = await infer(matrix(['5000']));
    expect(short.body.error.violations[0].path).toBe('inputs[0].data');
  });

  it.each<[string, unknown, string]>([
    ['no inputs', { inputs: [] }, 'inputs'],
    ['no shape', { inputs: [{ name: 'distance', datatype: 'FP64', data: [1] }] }, 'inputs.0.shape'],
    ['a matrix', { inputs: [tensor('distance', 'FP64', [1, 2, 3, 4], [2, 2])] }, 'inputs[0].shape'],
    ['another number of rows', { inputs: [inputs[0], tensor('city', 'BYTES', ['a'])] }, 'inputs[1].shape'],
    ['too little data', { inputs: [tensor('distance', 'FP64', [1], [2])] }, 'inputs[0].data'],
    ['a shape beyond all measure', { inputs: [tensor('distance', 'FP64', [1], [1e15])] }, 'inputs[0].data'],
    ['an unknown datatype', { inputs: [tensor('distance', 'DOUBLE', [1])] }, 'inputs[0].datatype'],
    ['data of another type', { inputs: [tensor('distance', 'INT64', [1.5])] }, 'inputs[0].data[0]'],
    ['a number out of range', { inputs: [tensor('distance', 'INT8', [1, 300])] }, 'inputs[0].data[1]'],
    [
      'text for a number',
      { inputs: [tensor('distance', 'BYTES', ['far']), tensor('city', 'BYTES', ['a'])] },
      'inputs[0].distance',
    ],
    ['a tensor twice', { inputs: [inputs[0], inputs[0]] }, 'inputs[1].name'],
    ['an unknown output', { inputs, outputs: [{ name: 'score' }] }, 'outputs[0].name'],
  ])('refuses %s, naming the field', async (_, body, path) => {
    const answer = await infer(body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.violations[0].path).toBe(path);
  });

  it('describes server and model', async () => {
    expect(await lab.call('/v2')).toMatchObject({ status: 200, body: { name: 'millrace' } });
    expect(await lab.call('/v2/health/ready')).toMatchObject({ status: 200, body: { ready: true } });
    expect(await lab.call('/v2/models/late/ready')).toMatchObject({ status: 200 });
    expect((await lab.call('/v2/models/late')).body).toMatchObject({
      name: 'late',
      versions: ['1'],
      inputs: [
        { name: 'distance', datatype: 'FP64', shape: [-1] },
        { name: 'city', datatype: 'BYTES', shape: [-1] },
      ],
      outputs: [{ name: 'late', datatype: 'BYTES', shape: [-1] }],
    });
  });

  it.each(['/v2/models/nowhere', '/v2/models/nowhere/ready', '/endpoints/nowhere/ping'])(
    '%s is not found',
    async (path) => {
      expect(await lab.call(path)).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    },
  );
});

describe('a model that answers badly', () => {
  it.each([
    ['NaN', 1],
    ['infinity', 2],
    ['nothing', 3],
  ])('(%s) is an error, recorded as one, and never a number', async (_, distance) => {
    const { status, body } = await lab.predict('brittle', { distance, city: 'Bern' });
    expect(status).toBe(500);
    expect(body.error.message).toMatch(/^the model failed: /);
    expect(await lab.answer('brittle')).toBe(100);
  });
});

describe('the prediction log', () => {
  it('gets every answered row with its id, features, prediction and revision', async () => {
    const { body } = await invoke({ dataframe_records: [row, { distance: 1, city: 'Graz' }] }, 'flights');
    const records = await eventually(() => {
      const found = lab.batches
        .filter(({ endpoint }) => endpoint === 'flights')
        .flatMap((batch) => batch.records)
        .filter(({ predictionId }) => body.prediction_ids.includes(predictionId));
      expect(found).toHaveLength(2);
      return found;
    });
    expect(records[1]).toMatchObject({
      revision: 1,
      features: {
        distance: { kind: { $case: 'number', value: 1 } },
        city: { kind: { $case: 'text', value: 'Graz' } },
      },
      prediction: { kind: { $case: 'number', value: 1 } },
      shadow: false,
      error: '',
    });
  });

  it('gets no record of a request that was refused', async () => {
    await invoke({ dataframe_records: [{ distance: 'far', city: 'refused' }] }, 'flights');
    await lab.predict('flights', { distance: 2, city: 'marker' });
    const cities = () =>
      lab.batches
        .flatMap((batch) => batch.records)
        .map(({ features }) => features.city?.kind)
        .map((kind) => (kind?.$case === 'text' ? kind.value : ''));
    await eventually(() => expect(cities()).toContain('marker'));
    expect(cities()).not.toContain('refused');
  });
});
