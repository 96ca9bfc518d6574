import { activeContent, nestingFaults } from '@millrace/cards/testing';
import { RunStatus } from '@millrace/contracts/training';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runIdOf, trialRunId } from '../src/domain/run.ts';
import { cardOf, Fixture, flights, outputNamed, withTransform } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await Fixture.open();
});
afterAll(() => fixture.close());

describe('the steps transform and train', () => {
  it('make a model package that predicts, and a run that says what it was made with', async () => {
    const result = await fixture.transformAndTrain({ pipelineRunId: 'run_plain' });
    const model = outputNamed(result, 'model');
    const runId = runIdOf('run_plain', 'train', 1);
    expect(outputNamed(result, 'training_run')).toMatchObject({ kind: 'training_run', id: runId });
    const run = await fixture.context.runs.get(runId);
    expect(run).toMatchObject({
      status: RunStatus.RUN_STATUS_FINISHED,
      params: { using: 'ydf/gradient_boosted_trees', seed: '42' },
      tags: { 'millrace.project': 'flights', 'millrace.actor': 'user:ada' },
      codeCommit: 'abc',
      codeDirtyDigest: 'sha256:dd',
      datasetVersionId: 'dsv_1',
      modelDigest: model.digest,
      environment: { nodeVersion: process.versions.node, lockDigest: expect.stringMatching(/^sha256:/) },
    });
    expect(run?.metrics.val_root_mean_squared_error).toBeLessThan(6);
    const predictor = await fixture.predictor(model.digest ?? '');
    expect(predictor.signature.inputs.map(({ name }) => name)).toEqual(['distance', 'hour', 'carrier']);
    const prediction = await predictor.predict([{ distance: 500, hour: 20, carrier: 'Nobody' }]);
    expect(prediction.kind === 'regression' && Math.abs((prediction.values[0] ?? 0) - 42)).toBeLessThan(12);
    await predictor.close();
    const page = await cardOf(fixture, result);
    expect(nestingFaults(page)).toEqual([]);
    expect(activeContent(page)).toEqual([]);
    const own = [runId, 'Performance', 'Leaderboard', 'Worst on the validation rows', 'On the training rows'];
    for (const fact of [...own, 'Signature', 'Environment', process.versions.node])
      expect(page).toContain(fact);
  });

  it('show the transform and its data on a card, the profile unless the recipe skips it', async () => {
    const command = await fixture.command();
    const page = await cardOf(fixture, await fixture.transform(command));
    expect(nestingFaults(page)).toEqual([]);
    for (const part of [
      '3 columns become',
      'carrier: one-hot of',
      'Transformed training data',
      'First transformed rows',
    ])
      expect(page).toContain(part);
    const skipped = await fixture.transform({ ...command, config: { skip_data_profiling: true } });
    expect(await cardOf(fixture, skipped)).not.toContain('Transformed training data');
  });

  for (const [using, target, task] of [
    ['linear/ridge', 'delay', 'regression'],
    ['linear/logistic', 'late', 'classification/binary'],
    ['linear/logistic', 'grade', 'classification/multiclass'],
    ['ydf/random_forest', 'grade', 'classification/multiclass'],
  ] as const) {
    it(`train ${using} for ${task}, the same model whenever the data and seed are the same`, async () => {
      const train = async (run: string) =>
        fixture.transformAndTrain({
          target,
          task,
          trainConfig: { using },
          pipelineRunId: `${run}_${using}_${task}`,
        });
      const first = await train('a');
      expect(outputNamed(first, 'model').digest).toBe(outputNamed(await train('b'), 'model').digest);
    });
  }

  it('make the same model in another process', async () => {
    const other = await Fixture.open();
    const digests = await Promise.all(
      [fixture, other].map(
        async (one) =>
          outputNamed(await one.transformAndTrain({ pipelineRunId: 'run_twice' }), 'model').digest,
      ),
    );
    expect(digests[0]).toBe(digests[1]);
    await other.close();
  });

  it('answer a repeated command with the run that is there', async () => {
    const command = await fixture.command({ pipelineRunId: 'run_repeated' });
    const train = withTransform(command, (await fixture.transform(command)).outputs, {
      using: 'linear/ridge',
    });
    const first = await fixture.train(train);
    expect(await fixture.train(train)).toEqual(first);
    const history = await fixture.store.outbox.history(
      `training.run/${runIdOf('run_repeated', 'train', 1)}`,
      0,
    );
    expect(history.map(({ type }) => type)).toEqual([
      'millrace.training.run.started.v1',
      'millrace.training.run.finished.v1',
    ]);
  });

  it('search with trials below the run, the best of which is fitted on all rows', async () => {
    const messages: string[] = [];
    const command = await fixture.command({ pipelineRunId: 'run_search' });
    const { outputs } = await fixture.transform(command);
    const tuning = {
      enabled: true,
      algorithm: 'tpe',
      max_trials: 12,
      parallelism: 2,
      parameters: { alpha: { distribution: 'loguniform', low: -7, high: 9 } },
    };
    const result = await fixture.train(withTransform(command, outputs, { using: 'linear/ridge', tuning }), {
      onProgress: (_fraction, message) => messages.push(message),
    });
    expect(result.summary).toMatchObject({ trials: 12, failedTrials: 0 });
    expect(
      messages.filter((message) => /^trial \d+ of 12, best root_mean_squared_error/.test(message)),
    ).toHaveLength(12);
    const runId = runIdOf('run_search', 'train', 1);
    const trials = await fixture.context.runs.find({
      filter: { field: 'parentRunId', op: 'eq', value: runId },
      sort: { field: ['metrics', 'val_root_mean_squared_error'], direction: 'asc' },
      limit: 100,
    });
    expect(trials.items).toHaveLength(12);
    const best = trials.items[0];
    expect(best?.id).toBe(trialRunId(runId, Number(result.summary?.bestTrial) - 1));
    expect((await fixture.context.runs.get(runId))?.params.alpha).toBe(best?.params.alpha);
    const page = await cardOf(fixture, result);
    for (const part of ['Tuning', 'Top 10 trials', 'class="trial best"', 'loguniform'])
      expect(page).toContain(part);
  });

  it('give up trials that do worse than the others, and keep the losses by step', async () => {
    const rates = [0.3, 0.28, 0.26, 0.24, 1e-4, 2e-4];
    const result = await fixture.transformAndTrain({
      pipelineRunId: 'run_boosting',
      trainConfig: {
        using: 'trees/gradient_boosting',
        estimator_params: { max_iter: 40, min_samples_leaf: 5 },
        tuning: {
          enabled: true,
          algorithm: 'grid',
          parallelism: 2,
          early_stop: { median: true },
          parameters: { learning_rate: { values: rates } },
        },
      },
    });
    expect(result.summary).toMatchObject({ trials: 6, failedTrials: 0 });
    const { learning_rate: chosen } = (result.summary?.params ?? {}) as { learning_rate?: number };
    expect(chosen).toBeGreaterThan(0.2);
    const runId = runIdOf('run_boosting', 'train', 1);
    const { items } = await fixture.context.history.list(runId, 'val_loss', { limit: 100 });
    expect(items.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(items.at(-1)?.value).toBeLessThan(items[0]?.value ?? 0);
    const worst = await fixture.context.runs.get(trialRunId(runId, 4));
    const { items: steps } = await fixture.context.history.list(worst?.id ?? '', 'val_loss', { limit: 100 });
    expect(steps).toHaveLength(5);
  });

  it('keep what the transform left out as a warning', async () => {
    const table = flights(40, 1);
    const train = {
      ...table,
      columns: table.columns.map((column) =>
        column.name === 'hour' ? { ...column, values: column.values.map(() => 3) } : column,
      ),
    } as typeof table;
    const result = await fixture.transform(await fixture.command({ train }));
    expect(result.warnings).toEqual(['column "hour" is left out: every value is the same']);
  });

  const refused: readonly [
    name: string,
    options: Parameters<Fixture['transformAndTrain']>[0],
    error: object,
  ][] = [
    [
      'an unknown estimator',
      { trainConfig: { using: 'ydf/boost' } },
      {
        code: 'invalid',
        message: expect.stringContaining('steps.train.using: there is no estimator "ydf/boost"'),
      },
    ],
    [
      'an estimator of the other task',
      { trainConfig: { using: 'linear/logistic' } },
      { code: 'invalid', message: expect.stringContaining('does not do regression') },
    ],
    [
      'an unknown parameter',
      { trainConfig: { using: 'linear/ridge', estimator_params: { beta: 1 } } },
      { code: 'invalid', message: 'steps.train.estimator_params.beta: is not a parameter of this estimator' },
    ],
    [
      'an unknown parameter in the search',
      {
        trainConfig: {
          using: 'linear/ridge',
          tuning: { enabled: true, max_trials: 1, parameters: { beta: { values: [1] } } },
        },
      },
      {
        code: 'invalid',
        message: 'steps.train.tuning.parameters.beta: is not a parameter of this estimator',
      },
    ],
    [
      'a text target for regression',
      { target: 'grade' },
      {
        code: 'invalid',
        message: expect.stringContaining('regression needs a numeric target, "grade" is string'),
      },
    ],
    [
      'a missing target',
      { target: 'profit' },
      { code: 'invalid', message: expect.stringContaining('target_column') },
    ],
    [
      'one class only',
      {
        target: 'late',
        task: 'classification/binary',
        train: {
          ...flights(20, 1),
          columns: flights(20, 1).columns.map((column) =>
            column.name === 'late' ? { name: 'late', type: 'boolean', values: Array(20).fill(true) } : column,
          ),
        },
      },
      { code: 'invalid', message: expect.stringContaining('one class only') },
    ],
    [
      'too few rows',
      { train: flights(3, 1) },
      { code: 'invalid', message: expect.stringContaining('at least 4 are needed') },
    ],
    ['what needs Python', { trainConfig: { using: 'automl/flaml' } }, { code: 'failed_precondition' }],
    [
      'an unknown transform key',
      { config: { numeric: { scale: 'log' } } },
      { code: 'invalid', message: expect.stringContaining('steps.transform.numeric.scale') },
    ],
  ];
  for (const [name, options, error] of refused) {
    it(`refuse ${name}`, async () => {
      await expect(
        fixture.transformAndTrain({ ...options, pipelineRunId: `run_refused_${name}` }),
      ).rejects.toMatchObject(error);
    });
  }
});
