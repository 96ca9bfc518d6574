import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { RunStatus } from '@millrace/contracts/training';
import { type PythonEnvironment, PythonEnvironments } from '@millrace/python-runtime';
import type { StepResult } from '@millrace/service-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonJobs } from '../src/adapters/python-jobs.ts';
import { runIdOf } from '../src/domain/run.ts';
import { Fixture, type Hooks, outputNamed, withTransform } from './fixture.ts';

const memoryMb = 700;

let fixture: Fixture;
let environment: PythonEnvironment;
/** Outputs of a transform, for all trainings. */
let transformed: StepResult['outputs'];

beforeAll(async () => {
  const environments = PythonEnvironments.open();
  // Once for all, and shared with every other test of this machine.
  environment = await environments.ensure({ requirements: ['pandas>=2', 'scikit-learn>=1.4'], needs: [] });
  fixture = await Fixture.open({ python: pythonJobs({ environments, memoryMb }) });
  transformed = (await fixture.transform(await commandOf('python_transform', train))).outputs;
}, 600_000);
afterAll(() => fixture?.close());

const transform = `
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder

def transformer_fn():
    return make_column_transformer(
        (SimpleImputer(), ["distance", "hour"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["carrier"]),
    )
`;

const train = `
def estimator_fn(estimator_params=None):
    from sklearn.linear_model import Ridge
    return Ridge(**(estimator_params or {}))
`;

/** An estimator whose \`fit\` is these lines. */
const fitting = (...lines: string[]): string =>
  [
    'import os, sys, time',
    'from sklearn.linear_model import Ridge',
    'class Estimator(Ridge):',
    '    def fit(self, X, y):',
    ...lines.map((line) => `        ${line}`),
    '        return super().fit(X, y)',
    'def estimator_fn(estimator_params=None):',
    '    return Estimator()',
  ].join('\n');

interface Training {
  readonly pipelineRunId: string;
  readonly code: string;
  readonly hooks?: Hooks;
}

const commandOf = (pipelineRunId: string, code: string) =>
  fixture.pythonCommand(
    {
      files: { 'steps/transform.py': transform, 'steps/train.py': code },
      pipelineRunId,
      config: { using: 'custom', transformer_method: 'transformer_fn' },
    },
    environment,
  );

const trainWith = async ({ pipelineRunId, code, hooks = {} }: Training): Promise<StepResult> => {
  const config = { using: 'custom', estimator_method: 'estimator_fn' };
  return fixture.train(withTransform(await commandOf(pipelineRunId, code), transformed, config), hooks);
};

const runOf = (pipelineRunId: string) => fixture.context.runs.get(runIdOf(pipelineRunId, 'train', 1));

describe('a recipe in Python', () => {
  it('trains the same model from the same data, code, lock and seed', async () => {
    const first = await trainWith({ pipelineRunId: 'python_a', code: train });
    const second = await trainWith({ pipelineRunId: 'python_b', code: train });
    expect(outputNamed(first, 'model').digest).toBe(outputNamed(second, 'model').digest);
    const run = await runOf('python_a');
    expect(run).toMatchObject({
      status: RunStatus.RUN_STATUS_FINISHED,
      tags: { estimator_name: 'Ridge' },
      environment: { pythonVersion: environment.pythonVersion, lockDigest: environment.lockDigest },
    });
    expect(run?.metrics.val_root_mean_squared_error).toBeGreaterThan(0);
  });

  it('that floods its output still trains', async () => {
    const code = fitting('for i in range(30_000): print("x" * 300)');
    const result = await trainWith({ pipelineRunId: 'python_flood', code });
    expect(outputNamed(result, 'model').digest).toMatch(/^sha256:/);
  });

  for (const [what, lines, error] of [
    [
      'raises',
      ['raise ValueError("no luck")'],
      { code: 'invalid', message: 'steps/train.py:5: ValueError: no luck' },
    ],
    [
      'exits',
      ['os._exit(3)'],
      { code: 'invalid', message: expect.stringContaining('steps/train.py:5: os._exit(3)') },
    ],
    [
      'crashes',
      ['os.kill(os.getpid(), 11)'],
      { code: 'invalid', message: expect.stringContaining('steps/train.py:5') },
    ],
    [
      'asks for more memory than it may have',
      ['self.rows = [bytearray(50_000_000) for _ in range(200)]', 'time.sleep(60)'],
      { code: 'exhausted', message: expect.stringContaining('700 MB') },
    ],
  ] as const) {
    it(`that ${what} fails with what to do, and its run with it`, async () => {
      const pipelineRunId = `python_${what.replaceAll(' ', '_')}`;
      await expect(trainWith({ pipelineRunId, code: fitting(...lines) })).rejects.toMatchObject(error);
      expect(await runOf(pipelineRunId)).toMatchObject({
        status: RunStatus.RUN_STATUS_FAILED,
        artifacts: [],
        modelDigest: '',
      });
      expect(await readdir(fixture.context.tempDir)).toEqual([]);
    });
  }

  it('that computes for ever is gone, with what it started, when its step is cancelled', async () => {
    const abort = new AbortController();
    const code = fitting('import subprocess', 'subprocess.Popen(["sleep", "600"])', 'while True: pass');
    const training = trainWith({ pipelineRunId: 'python_cancelled', code, hooks: { signal: abort.signal } });
    training.catch(() => {});
    while (!(await commandsBelow(fixture.directory)).some((command) => command.startsWith('sleep')))
      await wait(20);
    abort.abort(new DOMException('stop', 'AbortError'));
    await expect(training).rejects.toMatchObject({ code: 'cancelled' });
    while ((await commandsBelow(fixture.directory)).length > 0) await wait(20);
    expect(await runOf('python_cancelled')).toMatchObject({ status: RunStatus.RUN_STATUS_KILLED });
    expect(await readdir(fixture.context.tempDir)).toEqual([]);
  });
});

/** Commands of the processes whose working directory lies below this one. */
const commandsBelow = async (directory: string): Promise<readonly string[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    pids.map(async (pid) => {
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
      if (!cwd.startsWith(directory)) return [];
      return [(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ')];
    }),
  );
  return commands.flat();
};
