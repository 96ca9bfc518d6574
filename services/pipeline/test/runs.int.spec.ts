import { parseDigest } from '@millrace/blobs';
import { trainingEvents } from '@millrace/contracts/training';
import { Invalid, Unavailable } from '@millrace/errors';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { actor, Platform, projectFiles, recipe, statesOf, stepOf } from './platform.ts';

let platform: Platform;

beforeAll(async () => {
  platform = await Platform.start();
  await platform.startPipeline();
});
afterAll(() => platform.stop());
beforeEach(() => {
  platform.workers.behaviours.clear();
  platform.workers.effects.length = 0;
  platform.workers.commands.length = 0;
});

/** Projects differ by test, so that none finds another's outputs. */
const own = (seed: number, more = '') =>
  projectFiles({ 'recipe.yaml': recipe(more, `seed: ${seed}\nname: own${seed}\n`) });
const reasonOf = async (id: string, step: string) => stepOf(await platform.get(id), step).cache?.reason;

describe('a run', () => {
  test('does every step once, in order, and tells it', async () => {
    const run = await platform.run(own(1));
    expect(statesOf(run)).toEqual([
      'ingest:SUCCEEDED',
      'split:SUCCEEDED',
      'transform:SUCCEEDED',
      'train:SUCCEEDED',
      'evaluate:SUCCEEDED',
      'register:SUCCEEDED',
    ]);
    expect(platform.workers.effects).toEqual(run.steps.map(({ name }) => `${run.id}.${name}.1`));
    await vi.waitFor(
      () =>
        expect(
          platform.events.filter(({ key }) => key === run.id).map(({ type }) => type.split('.').at(-2)),
        ).toEqual(['requested', ...run.steps.flatMap(() => ['step_started', 'step_finished']), 'succeeded']),
      { timeout: 60_000 },
    );
    expect(platform.events.filter(({ key }) => key === run.id).map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 14 }, (_, index) => index + 1),
    );
  });

  test('gives each step its config, the recipe and the outputs of earlier steps', async () => {
    const run = await platform.run(own(2));
    const command = platform.workers.commands.find(({ step }) => step === 'train');
    expect(command).toMatchObject({
      pipelineRunId: run.id,
      attempt: 1,
      config: { using: 'custom', estimator_method: 'make' },
      recipe: { task: 'regression', targetColumn: 'y', seed: 2, modelName: 'own2' },
      timeoutSeconds: 86_400,
      actor,
    });
    expect(command?.inputs.map(({ name }) => name)).toEqual([
      'ingest_output',
      'split_output',
      'transform_output',
    ]);
  });

  test('is one trace, from the request through every step into its work, with true times', async () => {
    const run = await platform.run(own(3));
    const spansOf = () => platform.spans.filter(({ traceId }) => traceId === run.traceId);
    const expected = [
      'pipeline run',
      ...run.steps.flatMap(({ name }) => [`pipeline step ${name}`, `step ${name}`]),
    ];
    await vi.waitFor(
      () => expect(spansOf().map(({ name }) => name)).toEqual(expect.arrayContaining(expected)),
      { timeout: 60_000 },
    );
    const byId = new Map(spansOf().map((span) => [span.spanId, span]));
    const named = (name: string) => {
      const [span, ...others] = spansOf().filter((candidate) => candidate.name === name);
      expect(others).toEqual([]);
      if (span === undefined) throw new Error(`no span ${name}`);
      return span;
    };
    const whole = named('pipeline run');
    expect(byId.get(whole.parentSpanId ?? '')?.name).toBe('millrace.pipeline.v1.PipelineService/SubmitRun');
    for (const step of run.steps) {
      const span = named(`pipeline step ${step.name}`);
      expect(span.parentSpanId).toBe(whole.spanId);
      expect(span.start).toBe(Date.parse(step.startedAt ?? ''));
      expect(span.start + span.duration).toBe(Date.parse(step.finishedAt ?? ''));
      const ancestors: string[] = [];
      for (
        let at = byId.get(named(`step ${step.name}`).parentSpanId ?? '');
        at;
        at = byId.get(at.parentSpanId ?? '')
      ) {
        ancestors.push(at.name);
      }
      expect(ancestors).toContain(span.name);
    }
  });

  test('with the same idempotency key is the same run', async () => {
    const [one, two] = await Promise.all([
      platform.submit(own(4), { idempotencyKey: 'k' }),
      platform.submit(own(4), { idempotencyKey: 'k' }),
    ]);
    expect(two.id).toBe(one.id);
    expect(two.number).toBe(one.number);
    await platform.until(one.id, 'SUCCEEDED');
    expect((await platform.submit(own(4), { idempotencyKey: 'k' })).id).toBe(one.id);
    expect(platform.workers.effects.length).toBe(6);
  });

  test('of a wrong recipe is refused with every violation, and leaves nothing', async () => {
    const before = (
      await platform.client.listRuns({ project: '', state: 'RUN_STATE_UNSPECIFIED', page: undefined })
    ).runs.length;
    const files = projectFiles({ 'recipe.yaml': recipe('  split: {split_ratio: 1}\n', 'seed: x\n') });
    await expect(platform.submit(files)).rejects.toMatchObject({
      code: 'invalid',
      violations: [
        { path: 'recipe.yaml:3:7 seed', message: expect.any(String) },
        { path: 'recipe.yaml:11:11 steps.split.split_ratio', message: expect.any(String) },
      ],
    });
    await expect(platform.submit(own(5), { toStep: 'trane' })).rejects.toThrow('no step "trane"');
    await expect(
      platform.client.submitRun({
        snapshot: { project: 'p', manifestDigest: `sha256:${'0'.repeat(64)}`, commit: '', dirtyDigest: '' },
        profile: '',
        fromStep: '',
        toStep: '',
        noCache: false,
        actor,
        idempotencyKey: '',
      }),
    ).rejects.toThrow('is not complete in the blob store');
    const after = (
      await platform.client.listRuns({ project: '', state: 'RUN_STATE_UNSPECIFIED', page: undefined })
    ).runs.length;
    expect(after).toBe(before);
  });

  test('in Python says so to every step, with the packages that its settings need', async () => {
    const files = { 'recipe.yaml': recipe(), 'data/a.csv': '', 'steps/train.py': '' };
    const plan = await platform.client.planRun({ snapshot: await platform.snapshot(files), profile: '' });
    expect(plan.recipe).toMatchObject({ runtime: 'python', pythonNeeds: [] });
    expect(await platform.run(files)).toMatchObject({
      state: 'RUN_STATE_SUCCEEDED',
      recipe: { runtime: 'python' },
    });
  });

  test('of both languages is refused, with what is of the other', async () => {
    const files = {
      'recipe.yaml': recipe('  transform: {transformer_method: make}\n'),
      'data/a.csv': '',
      'steps/train.py': '',
      'steps/transform.ts': '',
    };
    await expect(platform.submit(files)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('steps/transform.ts runs in Node, but steps/train.py in Python'),
    });
  });
});

describe('batch scoring', () => {
  const scoring = `  ingest_scoring: {using: csv, location: data/a.csv}
  predict: {output: {using: parquet, location: data/scored.parquet}}
`;

  test('is a run of its own, on request', async () => {
    const whole = await platform.run(own(31, scoring));
    expect(whole.steps.map(({ name }) => name)).not.toContain('predict');
    platform.workers.commands.length = 0;
    const run = await platform.run(own(31, scoring), { toStep: 'predict' });
    expect(statesOf(run)).toEqual(['ingest_scoring:SUCCEEDED', 'predict:SUCCEEDED']);
    expect(platform.workers.commands.map(({ step, config }) => [step, config])).toMatchObject([
      ['ingest_scoring', { using: 'csv', dataset: 'own31-scoring' }],
      ['predict', { model_uri: 'models:/own31/latest', save_mode: 'overwrite', result_type: 'double' }],
    ]);
    expect(platform.workers.commands[1]?.inputs.map(({ name }) => name)).toEqual(['ingest_scoring_output']);
  });

  test('reads its data once, and asks for the model each time', async () => {
    await platform.run(own(32, scoring), { toStep: 'predict' });
    const again = await platform.run(own(32, scoring), { toStep: 'predict' });
    expect(statesOf(again)).toEqual(['ingest_scoring:CACHED', 'predict:SUCCEEDED']);
    expect(await reasonOf(again.id, 'predict')).toBe(
      'the model that it uses may have changed, and it writes a file',
    );
  });

  test('of a recipe that says nothing of it is refused', async () => {
    await expect(platform.submit(own(33), { toStep: 'predict' })).rejects.toThrow(
      'the recipe has no step "predict"',
    );
  });
});

describe('the cache', () => {
  test('reuses every step of an equal run and names it', async () => {
    const first = await platform.run(own(10));
    platform.workers.effects.length = 0;
    const second = await platform.run(own(10));
    expect(statesOf(second).every((state) => state.endsWith(':CACHED'))).toBe(true);
    expect(platform.workers.effects).toEqual([]);
    expect(stepOf(second, 'train').cache).toEqual({
      hit: true,
      reason: `nothing changed since ${first.id}; its outputs are there`,
      sourceRunId: first.id,
    });
    const third = await platform.run(own(10));
    expect(stepOf(third, 'train').cache?.sourceRunId).toBe(first.id);
    expect(stepOf(third, 'train').outputs).toEqual(stepOf(first, 'train').outputs);
  });

  test('is asked for all steps before one commit takes what it has', async () => {
    await platform.run(own(15));
    const { id } = await platform.run(own(15));
    const events = () => platform.events.filter(({ key }) => key === id);
    await vi.waitFor(() => expect(events().at(-1)?.type).toContain('.succeeded.'), { timeout: 60_000 });
    const [requested, ...others] = events();
    expect(requested?.type).toContain('.requested.');
    expect(others).toHaveLength(7);
    expect(new Set(others.map(({ time }) => time)).size).toBe(1);
  });

  test('may be unable to answer for a while: what was done counts, and the run goes on when it can', async () => {
    const criterion = '{metric: r2_score, compare: champion, max_regression: 0}';
    platform.workers.failingQuestions = 2;
    const run = await platform.run(own(16, `  evaluate: {validation_criteria: [${criterion}]}\n`));
    expect(platform.workers.failingQuestions).toBeLessThan(0);
    expect(statesOf(run)).toContain('evaluate:SUCCEEDED');
    expect(run.steps.every(({ attempt }) => attempt === 1)).toBe(true);
    expect(run.refusedResults).toBe(0);
  });

  test('says which component changed', async () => {
    const files = own(11);
    const first = await platform.run(files);
    expect(stepOf(first, 'ingest').cache?.reason).toBe('it was not done before in this project and profile');
    const code = await platform.run({
      ...files,
      'steps/train.ts': 'export const make = () => ({ deep: true });\n',
    });
    expect(statesOf(code).slice(0, 4)).toEqual([
      'ingest:CACHED',
      'split:CACHED',
      'transform:CACHED',
      'train:SUCCEEDED',
    ]);
    expect(stepOf(code, 'train').cache?.reason).toBe(`code.steps/train.ts changed since ${first.id}`);
    const config = await platform.run({
      ...files,
      'recipe.yaml': `${files['recipe.yaml']}  split: {split_ratios: [8, 1, 1]}\n`,
    });
    expect(stepOf(config, 'split').cache?.reason).toBe(
      `config.split_ratios [0.75,0.125,0.125] → [8,1,1] since ${code.id}`,
    );
    expect(stepOf(config, 'train').cache?.reason).toContain('input.split.split_output changed');
    const data = await platform.run({ ...files, 'data/a.csv': 'y,x\n3,4\n' });
    expect(stepOf(data, 'ingest').cache?.reason).toBe(`data.data/a.csv changed since ${config.id}`);
    const comment = await platform.run({ ...files, 'steps/train.ts': `// note\n${files['steps/train.ts']}` });
    expect(statesOf(comment).every((state) => state.endsWith(':CACHED'))).toBe(true);
  });

  test('proves that the outputs still exist', async () => {
    const first = await platform.run(own(12));
    const { digest, name } = stepOf(first, 'split').outputs[0]!;
    await platform.blobs.delete(parseDigest(digest));
    const second = await platform.run(own(12));
    expect(statesOf(second).slice(0, 3)).toEqual(['ingest:CACHED', 'split:SUCCEEDED', 'transform:CACHED']);
    expect(stepOf(second, 'split').cache?.reason).toBe(
      `the outputs of ${first.id} cannot be reused: ${name} (${digest}) is gone`,
    );
  });

  test('of a step that compares with the champion depends on which that is', async () => {
    const criterion = '{metric: r2_score, compare: champion, max_regression: 0}';
    const files = own(14, `  evaluate: {validation_criteria: [${criterion}]}\n`);
    const first = await platform.run(files);
    platform.workers.champions.set('own14', 1);
    const second = await platform.run(files);
    expect(stepOf(second, 'evaluate').cache?.reason).toBe(`champion none → own14/1 since ${first.id}`);
    expect(statesOf(await platform.run(files))).toContain('evaluate:CACHED');
  });

  test('is off where the recipe says so, where the outputs are too old, and where the request says so', async () => {
    const files = own(13, '  split: {cache: {enabled: false}}\n  transform: {cache: {ttl: 1ms}}\n');
    await platform.run(files);
    const second = await platform.run(files);
    expect(statesOf(second).slice(0, 4)).toEqual([
      'ingest:CACHED',
      'split:SUCCEEDED',
      'transform:SUCCEEDED',
      'train:CACHED',
    ]);
    expect(await reasonOf(second.id, 'split')).toBe('the recipe switches its cache off');
    expect(await reasonOf(second.id, 'transform')).toContain("older than the cache's ttl");
    const third = await platform.run(files, { noCache: true });
    expect(statesOf(third).every((state) => state.endsWith(':SUCCEEDED'))).toBe(true);
    const single = await platform.run(files, { fromStep: 'train', toStep: 'train' });
    expect(statesOf(single).slice(3)).toEqual(['train:SUCCEEDED', 'evaluate:SKIPPED', 'register:SKIPPED']);
  });
});

describe('a failing step', () => {
  test('is tried again when the error may pass', async () => {
    let failures = 2;
    platform.workers.behaviours.set('train', async (_, succeed) => {
      if (failures-- > 0) throw new Unavailable('the disk is away');
      return succeed();
    });
    const run = await platform.run(own(20));
    expect(run.state).toBe('RUN_STATE_SUCCEEDED');
    expect(stepOf(run, 'train')).toMatchObject({ attempt: 3, maxAttempts: 3 });
  });

  test('fails the run when the error will not pass, and the run goes on from there when resumed', async () => {
    platform.workers.behaviours.set('train', async () => {
      throw Invalid.field('steps.train.estimator_method', 'returns nothing');
    });
    const failed = await platform.run(own(21));
    expect(failed).toMatchObject({ state: 'RUN_STATE_FAILED', error: { code: 'invalid', retryable: false } });
    expect(statesOf(failed).slice(3)).toEqual(['train:FAILED', 'evaluate:SKIPPED', 'register:SKIPPED']);
    expect(stepOf(failed, 'train').error?.violations).toEqual([
      { path: 'steps.train.estimator_method', message: 'returns nothing' },
    ]);
    platform.workers.behaviours.clear();
    await platform.client.resumeRun({ id: failed.id, actor });
    const resumed = await platform.until(failed.id, 'SUCCEEDED');
    expect(stepOf(resumed, 'train').attempt).toBe(2);
    expect(platform.workers.effects.filter((effect) => effect.includes('.ingest.'))).toHaveLength(1);
    await expect(platform.client.resumeRun({ id: failed.id, actor })).rejects.toMatchObject({
      code: 'failed_precondition',
    });
  });

  test('that takes too long is ended by its worker and tried again', async () => {
    let slow = true;
    platform.workers.behaviours.set('train', async ({ signal }, succeed) => {
      if (!slow) return succeed();
      slow = false;
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const run = await platform.run(own(22, '    timeout: 200ms\n'));
    expect(run.state).toBe('RUN_STATE_SUCCEEDED');
    expect(stepOf(run, 'train').attempt).toBe(2);
  });
});

describe('a report that is not of the current attempt', () => {
  const success = (pipelineRunId: string, attempt: number) => ({
    result: {
      pipelineRunId,
      step: 'train',
      attempt,
      lease: 9,
      outputs: [],
      summary: undefined,
      warnings: [],
      workMs: 1,
    },
  });

  test('is refused and counted, whether it repeats or comes from a zombie', async () => {
    let attempts = 0;
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    platform.workers.behaviours.set('train', async (_, succeed) => {
      attempts += 1;
      if (attempts === 1) throw new Unavailable('no');
      await held;
      return succeed();
    });
    const { id } = await platform.submit(own(30));
    await vi.waitFor(() => expect(attempts).toBe(2), { timeout: 60_000 });
    await platform.workers.publish(
      'training',
      trainingEvents.stepSucceeded,
      `${id}.train.zombie`,
      success(id, 1),
    );
    await vi.waitFor(async () => expect((await platform.get(id)).refusedResults).toBe(1), {
      timeout: 60_000,
    });
    expect(stepOf(await platform.get(id), 'train')).toMatchObject({
      state: 'STEP_STATE_RUNNING',
      attempt: 2,
    });
    release();
    const run = await platform.until(id, 'SUCCEEDED');
    await platform.workers.publish(
      'training',
      trainingEvents.stepSucceeded,
      `${id}.train.repeated`,
      success(id, 2),
    );
    await vi.waitFor(async () => expect((await platform.get(id)).refusedResults).toBe(2), {
      timeout: 60_000,
    });
    expect((await platform.get(id)).steps).toEqual(run.steps);
  });
});

describe('a cancelled run', () => {
  test('stops its worker and can be resumed', async () => {
    let stopped = false;
    platform.workers.behaviours.set(
      'train',
      ({ signal }) =>
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => {
            stopped = true;
            reject(signal.reason);
          }),
        ),
    );
    const { id } = await platform.submit(own(40));
    await vi.waitFor(
      () => expect(platform.workers.commands.some(({ step }) => step === 'train')).toBe(true),
      { timeout: 60_000 },
    );
    await platform.client.cancelRun({ id, actor });
    const run = await platform.until(id, 'CANCELLED');
    expect(stopped).toBe(true);
    expect(statesOf(run).slice(2)).toEqual([
      'transform:SUCCEEDED',
      'train:CANCELLED',
      'evaluate:SKIPPED',
      'register:SKIPPED',
    ]);
    expect((await platform.client.cancelRun({ id, actor })).run?.state).toBe('RUN_STATE_CANCELLED');
    platform.workers.behaviours.clear();
    await platform.client.resumeRun({ id, actor });
    expect(stepOf(await platform.until(id, 'SUCCEEDED'), 'train').attempt).toBe(2);
  });
});

describe('a deployment', () => {
  const deployed = (seed: number) => own(seed, '  deploy:\n');

  test('waits for the approval that the policy asks for', async () => {
    platform.workers.policy = { ...platform.workers.policy, protectedAliases: ['production'] };
    const { id } = await platform.submit(deployed(50));
    const waiting = await platform.until(id, 'WAITING');
    expect(stepOf(waiting, 'deploy')).toMatchObject({
      state: 'STEP_STATE_WAITING',
      waitingFor: 'approval of own50/1',
    });
    await platform.workers.approve('own50/1', 'approved');
    expect(statesOf(await platform.until(id, 'SUCCEEDED')).at(-1)).toBe('deploy:SUCCEEDED');
    const again = await platform.run(deployed(50));
    expect(statesOf(again).at(-1)).toBe('deploy:SUCCEEDED');
    expect(stepOf(again, 'deploy').cache?.reason).toBe('it acts on the live endpoint');
  });

  test('fails when the approval is refused', async () => {
    platform.workers.policy = { ...platform.workers.policy, protectedAliases: ['production'] };
    const { id } = await platform.submit(deployed(51));
    await platform.until(id, 'WAITING');
    await platform.workers.approve('own51/1', 'rejected');
    expect(await platform.until(id, 'FAILED')).toMatchObject({ error: { code: 'failed_precondition' } });
  });

  test('needs nobody where the alias is not protected', async () => {
    platform.workers.policy = { ...platform.workers.policy, protectedAliases: ['gold'] };
    expect((await platform.run(deployed(52))).state).toBe('RUN_STATE_SUCCEEDED');
  });

  test('goes on after a restart although the approval came while nothing ran', async () => {
    platform.workers.policy = { ...platform.workers.policy, protectedAliases: ['production'] };
    const { id } = await platform.submit(deployed(53));
    await platform.until(id, 'WAITING');
    await platform.stopPipeline();
    await platform.workers.approve('own53/1', 'approved');
    await platform.startPipeline();
    await platform.until(id, 'SUCCEEDED');
  });
});
