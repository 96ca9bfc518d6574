import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDigest } from '@millrace/blobs';
import type { StepCommand } from '@millrace/contracts/step';
import { RunStatus } from '@millrace/contracts/training';
import { Invalid } from '@millrace/errors';
import { parseManifest } from '@millrace/modeling';
import type { StepResult } from '@millrace/service-kit';
import { type Table, writeTable } from '@millrace/tabular';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PythonJobs } from '../src/application/ports.ts';
import { recordEvaluation } from '../src/application/record-evaluation.ts';
import { runIdOf, trialRunId } from '../src/domain/run.ts';
import { Fixture, outputNamed, withTransform } from './fixture.ts';

/** What a worker would do, without one: writes the files that a job promises, and keeps what it was asked. */
class PretendedPython implements PythonJobs {
  readonly asked: { readonly job: string; readonly input: Record<string, unknown> }[] = [];
  readonly environments: unknown[] = [];
  error: Error | undefined;

  async environment(spec: Parameters<PythonJobs['environment']>[0]) {
    this.environments.push(spec);
    return {
      key: 'k',
      python: '/nowhere/python',
      pythonVersion: '3.11.7',
      platform: 'linux-x64',
      lock: 'pandas==2.2.3\nscikit-learn==1.5.2\n',
      lockDigest: 'sha256:ab',
      packages: { pandas: '2.2.3', 'scikit-learn': '1.5.2' },
      wheels: [],
      warnings: [],
    };
  }

  async run<Output>(job: string, input: unknown): Promise<Output> {
    const given = input as { output_dir: string };
    this.asked.push({ job, input: given as Record<string, unknown> & typeof given });
    if (this.error !== undefined) throw this.error;
    return (job === 'transform' ? await transform(given) : await train(given)) as Output;
  }
}

const write = (given: { output_dir: string }, name: string, text: string) =>
  writeFile(join(given.output_dir, name), text);

const transformedRows: Table = {
  rowCount: 3,
  columns: ['distance', 'delay'].map((name) => ({ name, type: 'number', values: [1, 2, 3] })),
};

const transform = async (given: { output_dir: string }) => {
  await write(given, 'transformer.pkl', 'pickled');
  await writeTable(transformedRows, join(given.output_dir, 'transformed_training_data.parquet'));
  await write(given, 'transformed_validation_data.parquet', 'validation');
  const schema = ['distance', 'delay'].map((name) => ({ name, type: 'float64' }));
  return {
    rows: { training: 3, validation: 1 },
    input_schema: schema,
    output_schema: schema,
    description: 'StandardScaler()',
    warnings: ['steps/transform.py:3: it is old'],
  };
};

const signature = {
  inputs: [{ name: 'distance', type: 'number', nullable: false }],
  output: { task: 'regression', name: 'delay', type: 'number' },
};

const train = async (given: { output_dir: string }) => {
  await mkdir(join(given.output_dir, 'model', 'artifacts', 'sk_model'), { recursive: true });
  await write(given, 'model/MLmodel', 'flavors: {}\n');
  await write(given, 'model/signature.json', JSON.stringify(signature));
  await write(given, 'model/artifacts/sk_model/model.pkl', 'pickled');
  await write(given, 'predicted_training_data.parquet', 'predicted');
  await write(given, 'best_parameters.yaml', 'alpha: 0.5\n');
  return {
    params: { alpha: 0.5, solver: 'auto', max_iter: null },
    metrics: { training: { r2_score: 0.9 }, validation: { r2_score: 0.8, strange: Number.NaN } },
    trials: [
      {
        params: { alpha: 0.5 },
        metrics: { r2_score: 0.8, val_r2_score: 0.8, root_mean_squared_error: 2 },
        status: 'succeeded',
        seconds: 1,
      },
      { params: { alpha: -1 }, metrics: {}, status: 'failed', seconds: 0, error: 'ValueError: alpha' },
    ],
    best_parameters: { alpha: 0.5 },
    estimator: { class: 'Ridge', module: 'sklearn.linear_model' },
    description: 'Pipeline(steps=[...])',
    rows: { training: 300, validation: 100 },
    flavors: ['python_function', 'sklearn'],
    worst: [{ absolute_error: 9.5, prediction: 1, delay: 10.5, distance: null, words: '<b>bold</b>' }],
    best: [],
    warnings: [],
  };
};

let fixture: Fixture;
let python: PretendedPython;

beforeAll(async () => {
  python = new PretendedPython();
  fixture = await Fixture.open({ python });
});
afterAll(() => fixture.close());

const files = {
  'recipe.yaml': 'recipe: regression/v1\n',
  'steps/transform.py': 'from steps.shared import scale\n',
  'steps/shared.py': 'def scale(x): return x\n',
  'steps/train.py': 'def estimator_fn(params=None): ...\n',
  'steps/split.py': 'def split(df): ...\n',
  'steps/words.json': '[]\n',
};

const pythonCommand = (pipelineRunId: string): Promise<StepCommand> =>
  fixture.pythonCommand(
    { files, pipelineRunId, config: { transformer_method: 'fn' } },
    { pythonVersion: '3.11.7', lock: 'pandas==2.2.3\n' },
  );

const trainCommand = async (pipelineRunId: string): Promise<StepCommand> => {
  const command = await pythonCommand(pipelineRunId);
  const { outputs } = await fixture.transform(command);
  const config = { using: 'custom', estimator_method: 'estimator_fn', estimator_params: { alpha: 0.5 } };
  return withTransform(command, outputs, config);
};

const textOf = async (result: StepResult, name: string): Promise<string> =>
  new TextDecoder().decode(
    await fixture.blobs.read(parseDigest(outputNamed(result, name).digest ?? ''), 1_000_000),
  );

describe('the step transform of a Python recipe', () => {
  it('keeps the transformer as a package and both transformed splits', async () => {
    const result = await fixture.transform(await pythonCommand('transform'));
    expect(outputNamed(result, 'transformed_training_data').digest).toMatch(/^sha256:/);
    expect(await textOf(result, 'transformed_validation_data')).toBe('validation');
    const manifest = parseManifest(new TextEncoder().encode(await textOf(result, 'transform')));
    expect(manifest.files.map(({ path }) => path)).toEqual(['transform.json', 'transformer.pkl']);
    expect(result).toMatchObject({
      summary: { using: 'custom:fn', rows: 3, inputColumns: 1, outputColumns: 1 },
      warnings: ['steps/transform.py:3: it is old'],
    });
    const card = await textOf(result, 'card');
    for (const shown of ['StandardScaler()', 'float64', 'it is old']) expect(card).toContain(shown);
    expect(python.asked.at(-1)?.input).toMatchObject({
      target_col: 'delay',
      task: 'regression',
      positive_class: null,
      seed: 42,
      transformer_method: 'fn',
    });
    expect(python.environments.at(-1)).toMatchObject({ python: '3.11.7', lock: 'pandas==2.2.3\n' });
  });
});

describe('the step train of a Python recipe', () => {
  it('stores the model, and tracks params, metrics, environment and trials', async () => {
    const result = await fixture.train(await trainCommand('train'));
    const manifest = parseManifest(new TextEncoder().encode(await textOf(result, 'model')));
    expect(manifest.files.map(({ path }) => path)).toEqual([
      'MLmodel',
      'artifacts/sk_model/model.pkl',
      'signature.json',
    ]);
    expect(await textOf(result, 'best_parameters')).toBe('alpha: 0.5\n');
    expect(await textOf(result, 'predicted_training_data')).toBe('predicted');
    const id = runIdOf('train', 'train', 1);
    expect(outputNamed(result, 'training_run').id).toBe(id);
    const card = await textOf(result, 'card');
    for (const shown of [
      'Pipeline(steps=[...])',
      '300',
      'ValueError: alpha',
      '&lt;b&gt;bold',
      'scikit-learn',
    ])
      expect(card).toContain(shown);
    expect(await fixture.context.runs.get(id)).toMatchObject({
      status: RunStatus.RUN_STATUS_FINISHED,
      params: { using: 'custom:estimator_fn', alpha: '0.5', solver: 'auto', max_iter: 'None', seed: '42' },
      metrics: { training_r2_score: 0.9, val_r2_score: 0.8 },
      tags: {
        'mlflow.source.type': 'RECIPE',
        'mlflow.pipeline.template.name': 'regression/v1',
        estimator_name: 'Ridge',
        estimator_class: 'sklearn.linear_model.Ridge',
      },
      environment: {
        pythonVersion: '3.11.7',
        lockDigest: 'sha256:ab',
        packages: { 'scikit-learn': '1.5.2' },
      },
    });
    const trials = await Promise.all([0, 1].map((trial) => fixture.context.runs.get(trialRunId(id, trial))));
    expect(trials).toMatchObject([
      {
        parentRunId: id,
        status: RunStatus.RUN_STATUS_FINISHED,
        params: { alpha: '0.5' },
        metrics: { r2_score: 0.8, val_r2_score: 0.8, root_mean_squared_error: 2 },
      },
      { parentRunId: id, status: RunStatus.RUN_STATUS_FAILED, error: 'ValueError: alpha' },
    ]);
  });

  it('gives a model the code that it may import and what else lies in steps, and no other', async () => {
    expect(python.asked.findLast(({ job }) => job === 'train')?.input.code_files).toEqual([
      'steps/shared.py',
      'steps/train.py',
      'steps/transform.py',
      'steps/words.json',
    ]);
  });

  it('answers a command that comes again with what is there, without training', async () => {
    const command = await trainCommand('again');
    const first = await fixture.train(command);
    const jobs = python.asked.length;
    expect(await fixture.train(command)).toEqual(first);
    expect(python.asked).toHaveLength(jobs);
  });

  it('that fails leaves a failed run and nothing on disk', async () => {
    const command = await trainCommand('broken');
    python.error = Invalid.field('steps.train', 'no luck');
    await expect(fixture.train(command)).rejects.toMatchObject({ code: 'invalid' });
    python.error = undefined;
    const run = await fixture.context.runs.get(runIdOf('broken', 'train', 1));
    expect(run).toMatchObject({ status: RunStatus.RUN_STATUS_FAILED, artifacts: [], modelDigest: '' });
    expect(await readdir(fixture.context.tempDir)).toEqual([]);
  });

  it('refuses an estimator of the built-in runtime', async () => {
    const command = { ...(await trainCommand('mixed')), config: { using: 'linear/ridge' } };
    await expect(fixture.train(command)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('steps.train.using'),
    });
  });
});

describe('an evaluation of a model', () => {
  it('adds what it measured to the run that trained it, however often it is told', async () => {
    await fixture.train(await trainCommand('evaluated'));
    const trainingRunId = runIdOf('evaluated', 'train', 1);
    const set = (split: string, slice: string, value: number) => ({
      split,
      slice,
      metrics: [{ name: 'r2_score', value }],
    });
    const data = {
      report: {
        trainingRunId,
        verdict: 'VERDICT_VALIDATED',
        createdAt: '2026-01-01T00:00:00.000Z',
        metrics: [set('test', '', 0.7), set('validation', '', 0.75), set('test', 'evening', 0.1)],
      },
    };
    const handle = recordEvaluation(fixture.context);
    for (const _ of [1, 2]) {
      expect(await handle({ data } as never, {} as never)).toEqual({ kind: 'done' });
    }
    const run = await fixture.context.runs.get(trainingRunId);
    expect(run?.metrics).toEqual({ training_r2_score: 0.9, val_r2_score: 0.75, test_r2_score: 0.7 });
    expect(run?.tags['millrace.verdict']).toBe('VALIDATED');
    const history = await fixture.context.history.list(trainingRunId, 'test_r2_score', { limit: 10 });
    expect(history.items).toHaveLength(1);
  });

  it('of a model from elsewhere is ignored', async () => {
    const data = { report: { trainingRunId: 'nobody', metrics: [], verdict: 'VERDICT_UNKNOWN' } };
    const outcome = await recordEvaluation(fixture.context)({ data } as never, {} as never);
    expect(outcome.kind).toBe('ignored');
  });
});
