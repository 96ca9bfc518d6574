import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RevisionState, Strategy } from '@millrace/contracts/deployment';
import { type PythonPackages, trainPythonPackages } from '@millrace/modeling/testing/python';
import { PythonEnvironments } from '@millrace/python-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, Lab } from './lab.ts';
import { constantModel } from './packages.ts';

let lab: Lab;
let packages: PythonPackages;
beforeAll(async () => {
  packages = await trainPythonPackages(
    await PythonEnvironments.open().ensure({ requirements: [], needs: [] }),
  );
  lab = await Lab.open();
  await lab.register('price', 1, packages.price.files);
  await lab.register('sold', 1, packages.sold.files);
  await lab.register('price', 2, await constantModel(7));
}, 900_000);
afterAll(() => lab?.stop());

const direct = { strategy: Strategy.STRATEGY_DIRECT } as never;
const rows = [
  { size: 0.5, rooms: 3, town: 'x', garden: true },
  { size: -0.5, rooms: 0, town: null, garden: false },
];

/** Kills the Python workers of this process, as an operator or the system might. */
const killWorkers = async (): Promise<number> => {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)]);
  const workers = stdout.split('\n').filter((line) => line.includes('millrace.worker'));
  for (const line of workers) process.kill(Number(line.trim().split(' ')[0]), 'SIGKILL');
  return workers.length;
};

describe('a model from Python', () => {
  it('is deployed by the step, which says what it waits for, and answers in both protocols', async () => {
    await lab.sendStep('run_python', 'sold/1', { endpoint: 'sold', strategy: 'direct' });
    const { success } = await lab.stepResult('run_python');
    expect(success?.summary).toMatchObject({ endpoint: 'sold', promoted: true });
    const { status, body } = await lab.call('/endpoints/sold/invocations', { dataframe_records: rows });
    expect(status).toBe(200);
    // The target is a truth value, so that is what comes back.
    expect(body.predictions).toEqual([expect.any(Boolean), false]);
    expect(body.classes).toEqual(['false', 'true']);
    expect(body.probabilities[0][0] + body.probabilities[0][1]).toBeCloseTo(1, 12);
    const tensor = (name: string, datatype: string, data: unknown[]) => ({
      name,
      datatype,
      shape: [data.length],
      data,
    });
    const answer = await lab.call('/v2/models/sold/infer', {
      inputs: [
        tensor('size', 'FP64', [0.5, -0.5]),
        tensor('rooms', 'INT64', [3, 0]),
        tensor('town', 'BYTES', ['x', null]),
        tensor('garden', 'BOOL', [true, false]),
      ],
    });
    expect(answer.body.outputs[0]).toMatchObject({ name: 'sold', datatype: 'BOOL', data: body.predictions });
  }, 120_000);

  it('predicts what its pipeline predicts, and names a wrong field', async () => {
    await lab.deploy({ endpoint: 'price', model: 'price', modelVersion: 1, policy: direct });
    const split = JSON.parse(new TextDecoder().decode(packages.price.files.get('input_example.json')));
    const { body } = await lab.call('/endpoints/price/invocations', { dataframe_split: split });
    const wanted = packages.price.expected.predictions as readonly number[];
    const worst = Math.max(...wanted.map((value, row) => Math.abs(value - body.predictions[row])));
    expect(worst).toBeLessThan(1e-9);
    const wrong = await lab.predict('price', { ...rows[0], rooms: 'three' });
    expect(wrong).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } });
    expect(wrong.body.error.message).toMatch(/rooms/);
  }, 120_000);

  it('is started again when its process is killed', async () => {
    expect(await killWorkers()).toBeGreaterThan(0);
    await eventually(async () => {
      const { status } = await lab.predict('price', rows[0]);
      expect(status).toBe(200);
    });
  }, 120_000);

  it('that does not load leaves what serves as it was', async () => {
    const broken = new Map(packages.price.files);
    broken.set('artifacts/sk_model/model.pkl', new TextEncoder().encode('no pickle'));
    await lab.register('price', 3, broken);
    await expect(
      lab.deploy({ endpoint: 'price', model: 'price', modelVersion: 3, policy: direct }),
    ).rejects.toThrow(/did not come up/);
    const { revisions } = await lab.rpc.listRevisions({ endpoint: 'price', page: undefined });
    expect(revisions[0]?.state).toBe(RevisionState.REVISION_STATE_FAILED);
    expect(await lab.predict('price', rows[0])).toMatchObject({ status: 200 });
  }, 120_000);

  it('shares an endpoint with a model without Python', async () => {
    const canary = { strategy: Strategy.STRATEGY_CANARY, canarySteps: [50] } as never;
    await expect(
      lab.deploy({ endpoint: 'price', model: 'price', modelVersion: 2, policy: canary }),
    ).resolves.toMatchObject({ name: 'price' });
    expect(await lab.traffic('price')).toMatch(/:50 .*:50/);
  }, 120_000);
});
