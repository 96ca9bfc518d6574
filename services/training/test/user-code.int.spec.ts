import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { RunStatus } from '@millrace/contracts/training';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runIdOf } from '../src/domain/run.ts';
import { type CommandOptions, cardOf, Fixture, type Hooks, outputNamed, withTransform } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await Fixture.open({ memoryMb: 256 });
});
afterAll(() => fixture.close());

const helper = `export const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;\n`;

/** Mean target per hour, moved by a parameter. */
const meanPerHour = `
import { mean } from './helper.ts';

interface Input { features: { hour: number[] }; target: number[] }
interface State { means: Record<string, number>; shift: number }

export const meanPerHour = ({ shift = 0 }: { shift?: number } = {}) => ({
  fit: ({ features, target }: Input): State => {
    const groups: Record<string, number[]> = {};
    features.hour.forEach((hour, row) => {
      groups[hour] ??= [];
      groups[hour].push(target[row] as number);
    });
    return { means: Object.fromEntries(Object.entries(groups).map(([hour, values]) => [hour, mean(values)])), shift };
  },
  predict: ({ state, features }: { state: State; features: { hour: number[] } }) =>
    features.hour.map((hour) => (state.means[hour] ?? 0) + state.shift),
});
`;

const hourOnly = `
export const hourOnly = () => ({
  fit: () => ({}),
  transform: ({ features }: { features: Record<string, unknown[]> }) => ({ hour: features.hour }),
});
`;

const byClass = `
export const byClass = () => ({
  fit: ({ classes }: { classes: string[] }) => ({ classes }),
  predict: ({ state, features }: { state: { classes: string[] }; features: { hour: number[] } }) => ({
    classes: state.classes,
    probabilities: features.hour.map((hour) => (hour > 14 ? [0.2, 0.8] : [0.9, 0.1])),
  }),
});
`;

const customMetrics = `
export const worst = ({ target, prediction }: { target: number[]; prediction: number[] }, builtIn: Record<string, number>) =>
  Math.max(...target.map((value, row) => Math.abs(value - prediction[row]!))) + 0 * builtIn.root_mean_squared_error!;
`;

const trainUser = async (
  options: CommandOptions & { trainConfig: Record<string, unknown> },
  hooks: Hooks = {},
) => {
  const command = await fixture.command(options);
  const { outputs } = await fixture.transform({ ...command, config: options.config ?? { using: 'none' } });
  return fixture.train(withTransform(command, outputs, options.trainConfig), hooks);
};

describe('user code', () => {
  it('trains, is searched over, measured by its own metric, packed and served', async () => {
    const result = await trainUser({
      pipelineRunId: 'user_train',
      files: {
        'steps/train.ts': meanPerHour,
        'steps/helper.ts': helper,
        'steps/transform.ts': hourOnly,
        'steps/custom_metrics.ts': customMetrics,
        'steps/unrelated.ts': 'export {};\n',
      },
      config: { transformer_method: 'hourOnly' },
      primaryMetric: 'worst',
      customMetrics: [{ name: 'worst', function: 'worst', greaterIsBetter: false }],
      trainConfig: {
        estimator_method: 'meanPerHour',
        tuning: {
          enabled: true,
          algorithm: 'grid',
          parallelism: 2,
          parameters: { shift: { values: [50, 0, -50] } },
        },
      },
    });
    expect(result.summary).toMatchObject({
      using: 'custom:meanPerHour',
      params: { shift: 0 },
      bestTrial: 2,
      primaryMetric: 'worst',
    });
    const page = await cardOf(fixture, result);
    for (const fact of ['custom:meanPerHour', 'hourOnly of steps/transform.ts', 'worst (primary)'])
      expect(page).toContain(fact);
    const run = await fixture.context.runs.get(runIdOf('user_train', 'train', 1));
    expect(run?.metrics.val_worst).toBeGreaterThan(run?.metrics.val_root_mean_squared_error ?? Number.NaN);
    const digest = outputNamed(result, 'model').digest ?? '';
    const manifest = JSON.parse(new TextDecoder().decode(await fixture.blobs.read(digest as never, 1e6)));
    expect(manifest.files.map(({ path }: { path: string }) => path)).toEqual([
      'MLmodel',
      'code/steps/helper.ts',
      'code/steps/train.ts',
      'code/steps/transform.ts',
      'environment.json',
      'input_example.json',
      'model.json',
      'model/state.json',
      'signature.json',
      'transform.json',
      'transform/state.json',
    ]);
    const predictor = await fixture.predictor(digest);
    const prediction = await predictor.predict(predictor.inputExample);
    expect(prediction.kind === 'regression' && prediction.values.every(Number.isFinite)).toBe(true);
    await predictor.close();
  });

  it('classifies with probabilities', async () => {
    const result = await trainUser({
      pipelineRunId: 'user_classes',
      target: 'late',
      task: 'classification/binary',
      files: { 'steps/train.ts': byClass },
      trainConfig: { estimator_method: 'byClass' },
    });
    expect(result.summary?.val_f1_score).toBeGreaterThan(0.5);
  });

  const good = {
    fit: 'fit: () => ({}),',
    predict: 'predict: ({ features }: any) => features.hour.map(() => 1),',
  };
  const estimator = (fit: string, predict = good.predict) =>
    `export const broken = () => ({\n${fit}\n${predict}\n});\n`;
  const broken: readonly [name: string, source: string, error: object][] = [
    [
      'throws in fit',
      estimator("fit: () => { throw new TypeError('no'); },"),
      { code: 'invalid', message: expect.stringMatching(/^steps\/train\.ts:2:\d+: TypeError: no$/) },
    ],
    [
      'throws in predict',
      estimator(good.fit, "predict: () => { throw new Error('never'); },"),
      { code: 'invalid', message: expect.stringMatching(/^steps\/train\.ts:3:\d+: never$/) },
    ],
    [
      'has a syntax error',
      'export const broken = () => {\n  return {;\n};\n',
      { code: 'invalid', message: expect.stringMatching(/steps\/train\.ts:2/) },
    ],
    [
      'exits',
      estimator('fit: () => process.exit(0),'),
      {
        code: 'invalid',
        message: expect.stringMatching(/^steps\/train\.ts:2:\d+: process\.exit\(0\) was called$/),
      },
    ],
    [
      'never settles',
      estimator('fit: () => new Promise(() => {}),'),
      { code: 'invalid', message: expect.stringContaining('fit of steps/train.ts#broken') },
    ],
    [
      'needs too much memory',
      estimator('fit: () => { const all: number[][] = []; for (;;) all.push(Array(1e5).fill(1.5)); },'),
      { code: 'exhausted', message: expect.stringContaining('fit of steps/train.ts#broken') },
    ],
    [
      'returns no state',
      estimator('fit: () => undefined,'),
      { code: 'invalid', message: expect.stringContaining('steps/train.ts#broken: fit returned nothing') },
    ],
    [
      'returns too few predictions',
      estimator(good.fit, 'predict: () => [1],'),
      { code: 'invalid', message: expect.stringContaining('returned 1 values for') },
    ],
    [
      'predicts NaN',
      estimator(good.fit, 'predict: ({ features }: any) => features.hour.map(() => NaN),'),
      { code: 'invalid', message: expect.stringContaining('returned NaN for row 0') },
    ],
    [
      'lacks a method',
      'export const broken = () => ({ fit: () => 1 });\n',
      { code: 'invalid', message: expect.stringContaining('predict is missing') },
    ],
    [
      'is not exported',
      'export const other = 1;\n',
      { code: 'invalid', message: expect.stringContaining('exports no function "broken"') },
    ],
    [
      'writes elsewhere',
      estimator("fit: () => require('node:fs').writeFileSync('/tmp/x', ''),"),
      { code: 'invalid' },
    ],
  ];
  for (const [name, source, error] of broken) {
    it(`that ${name} fails the step and its run, naming the place`, async () => {
      const pipelineRunId = `user_broken_${name}`;
      const options = {
        pipelineRunId,
        files: { 'steps/train.ts': source },
        trainConfig: { estimator_method: 'broken' },
      };
      await expect(trainUser(options)).rejects.toMatchObject(error);
      const run = await fixture.context.runs.get(runIdOf(pipelineRunId, 'train', 1));
      expect(run).toMatchObject({ status: RunStatus.RUN_STATUS_FAILED, artifacts: [], modelDigest: '' });
    });
  }

  it('that floods its output still trains', async () => {
    const flood = estimator(
      "fit: () => { for (let i = 0; i < 30_000; i += 1) console.log('x'.repeat(300)); return {}; },",
    );
    const result = await trainUser({
      pipelineRunId: 'user_flood',
      files: { 'steps/train.ts': flood },
      trainConfig: { estimator_method: 'broken' },
    });
    expect(outputNamed(result, 'model').digest).toMatch(/^sha256:/);
  });

  it('that computes for ever is killed when the step is cancelled, and its run says so', async () => {
    const abort = new AbortController();
    const source = estimator('fit: () => { for (;;) Math.random(); },');
    const options = {
      pipelineRunId: 'user_cancelled',
      files: { 'steps/train.ts': source },
      trainConfig: { estimator_method: 'broken' },
    };
    const before = await children();
    const training = trainUser(options, { signal: abort.signal });
    training.catch(() => {});
    let started: number[] = [];
    while (started.length === 0) {
      await wait(20);
      started = (await busyUserJobs()).filter((pid) => !before.includes(pid));
    }
    abort.abort(new DOMException('stop', 'AbortError'));
    await expect(training).rejects.toMatchObject({ code: 'cancelled' });
    while ((await children()).some((pid) => started.includes(pid))) await wait(20);
    const run = await fixture.context.runs.get(runIdOf('user_cancelled', 'train', 1));
    expect(run?.status).toBe(RunStatus.RUN_STATUS_KILLED);
    expect(await readdir(fixture.context.tempDir)).toEqual([]);
  });

  it('in Python is refused with what to do', async () => {
    const options = {
      files: { 'steps/train.py': 'def f(): pass\n' },
      trainConfig: { estimator_method: 'f' },
      pipelineRunId: 'user_python',
    };
    await expect(trainUser(options)).rejects.toMatchObject({
      code: 'failed_precondition',
      message: 'steps/train.py needs the Python runtime',
    });
  });
});

const children = async (): Promise<number[]> => {
  const text = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
};

/** Children under Node's permission model are those that run user code. */
const busyUserJobs = async (): Promise<number[]> => {
  const found = await Promise.all(
    (await children()).map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return command.includes('--permission') ? [pid] : [];
    }),
  );
  return found.flat();
};
