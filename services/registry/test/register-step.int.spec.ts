import { parseDigest } from '@millrace/blobs';
import { Report } from '@millrace/contracts/evaluation';
import { Artifact, type StepCommand } from '@millrace/contracts/step';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Platform, startPlatform } from './service-fixture.ts';

describe('the step register', () => {
  let platform: Platform;
  let runs = 0;
  beforeAll(async () => {
    platform = await startPlatform();
    await platform.startRegistry();
  });
  afterAll(() => platform.stop());

  const report = (id: string, changes: Partial<Report>) =>
    platform.reports.set(id, { ...Report.fromPartial({ id, verdict: 'VERDICT_VALIDATED' }), ...changes });

  const register = (model: string, reportId: string, changes: Partial<StepCommand> = {}) => {
    runs += 1;
    const inputs = [
      Artifact.fromPartial({ name: 'model', kind: 'model', digest: model }),
      Artifact.fromPartial({ name: 'dataset', kind: 'dataset_version', id: 'flights@0123456789ab' }),
    ];
    if (reportId !== '') inputs.push(Artifact.fromPartial({ kind: 'evaluation_report', id: reportId }));
    return platform.runStep({
      pipelineRunId: `run_${runs}`,
      inputs,
      config: { allow_non_validated_model: false, metadata: { team: 'delays' } },
      actor: { name: 'user:ada', reason: '' },
      project: { project: 'flights', manifestDigest: '', commit: 'c0ffee', dirtyDigest: '' },
      recipe: { modelName: 'flights', kind: 'regression/v1' } as StepCommand['recipe'],
      ...changes,
    });
  };
  const versions = async (model: string): Promise<number> => {
    const page = await platform.client.listModels({ page: undefined });
    return page.models.find(({ name }) => name === model)?.latestVersion ?? 0;
  };

  test('makes an immutable version with its signature, example, origin and evidence', async () => {
    const model = await platform.putModel('first');
    const metrics = [{ split: 'test', metrics: [{ name: 'rmse', value: 12.5 }] }];
    report('rep_1', {
      ...Report.fromPartial({ metrics }),
      id: 'rep_1',
      modelDigest: model,
      verdict: 'VERDICT_VALIDATED',
    });
    const { success, failure } = await register(model, 'rep_1');
    expect(failure).toBeUndefined();
    expect(success?.outputs).toMatchObject([
      {
        kind: 'model_version',
        id: 'flights/1',
        digest: model,
        attributes: { version: '1', verdict: 'VALIDATED' },
      },
      { name: 'card', kind: 'card', mediaType: 'text/html' },
    ]);
    const card = success?.outputs[1]?.digest ?? '';
    const page = new TextDecoder().decode(await platform.blobs.read(parseDigest(card), 1e6));
    for (const fact of ['flights/1', model, 'rep_1', 'c0ffee', 'flights@0123456789ab', 'distance', '12.5'])
      expect(page).toContain(fact);
    const { modelVersion } = await platform.client.getModelVersion({ model: 'flights', version: 1 });
    expect(modelVersion).toMatchObject({
      digest: model,
      verdict: 'VALIDATED',
      approvalState: 'APPROVAL_STATE_PENDING',
      signature: { inputs: [{ name: 'distance', type: 'number', required: true }] },
      inputExample: [{ distance: 500 }, { distance: 800 }],
      pipelineRunId: 'run_1',
      datasetVersionId: 'flights@0123456789ab',
      evaluationReportId: 'rep_1',
      codeCommit: 'c0ffee',
      metrics: { rmse: 12.5 },
      tags: { team: 'delays', project: 'flights', recipeKind: 'regression/v1' },
      registeredBy: { name: 'user:ada' },
    });
  });

  test('gives the same model the version that it has', async () => {
    const model = await platform.putModel('twice');
    report('rep_twice', { modelDigest: model });
    const ends = await Promise.all([1, 2, 3].map(() => register(model, 'rep_twice')));
    const ids = ends.map(({ success }) => success?.outputs[0]?.id);
    expect(new Set(ids).size).toBe(1);
    expect(ends.filter(({ success }) => success?.summary?.newlyRegistered === true)).toHaveLength(1);
  });

  test('finds the report on a model that none is named for', async () => {
    const model = await platform.putModel('unnamed');
    report('rep_unnamed', { modelDigest: model });
    expect((await register(model, '')).success?.outputs[0]?.attributes).toMatchObject({
      evaluationReportId: 'rep_unnamed',
    });
  });

  const refusals = {
    'whose report is about another model': {
      changes: { modelDigest: `sha256:${'9'.repeat(64)}` },
      says: 'is about model',
    },
    'that failed a gate': { changes: { verdict: 'VERDICT_REJECTED' }, says: 'failed its evaluation' },
    'that failed a gate, even where a missing verdict is allowed': {
      changes: { verdict: 'VERDICT_REJECTED' },
      says: 'failed its evaluation',
      config: { allow_non_validated_model: true },
    },
    'without gates': { changes: { verdict: 'VERDICT_UNKNOWN' }, says: 'without any gate' },
  } as const;
  for (const [what, refusal] of Object.entries(refusals)) {
    test(`refuses a model ${what}, and changes nothing`, async () => {
      const model = await platform.putModel(what);
      const before = await versions('flights');
      report(what, { modelDigest: model, ...refusal.changes });
      const { failure } = await register(model, what, 'config' in refusal ? { config: refusal.config } : {});
      expect(failure?.error).toMatchObject({
        code: 'failed_precondition',
        message: expect.stringContaining(refusal.says),
        retryable: false,
      });
      expect(await versions('flights')).toBe(before);
    });
  }

  test('refuses a model that was never evaluated', async () => {
    const model = await platform.putModel('never evaluated');
    const expected = { code: 'failed_precondition', message: expect.stringContaining('has no report') };
    expect((await register(model, '')).failure?.error).toMatchObject(expected);
    expect((await register(model, 'rep_gone')).failure?.error).toMatchObject(expected);
  });

  test('accepts a model without gates where the recipe allows it', async () => {
    const model = await platform.putModel('ungated');
    report('rep_ungated', { modelDigest: model, verdict: 'VERDICT_UNKNOWN' });
    const { success } = await register(model, 'rep_ungated', { config: { allow_non_validated_model: true } });
    expect(success?.outputs[0]?.attributes.verdict).toBe('UNKNOWN');
  });

  test('refuses a package that is not whole', async () => {
    const model = await platform.putModel('torn');
    report('rep_torn', { modelDigest: model });
    const { digest } = await platform.blobs.put(new TextEncoder().encode('torn'));
    await platform.blobs.delete(digest);
    expect((await register(model, 'rep_torn')).failure?.error).toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('model/weights'),
    });
  });

  test('names the field that is wrong', async () => {
    const model = await platform.putModel('field');
    report('rep_field', { modelDigest: model });
    const pathOf = async (changes: Partial<StepCommand>) =>
      (await register(model, 'rep_field', changes)).failure?.error?.violations[0]?.path;
    expect(await pathOf({ inputs: [] })).toBe('inputs');
    expect(await pathOf({ config: { allow_non_validated_model: 'yes' } })).toBe(
      'steps.register.allow_non_validated_model',
    );
    expect(await pathOf({ config: { model_name: '../x' } })).toBe('steps.register.model_name');
    expect(await pathOf({ actor: undefined })).toBe('actor.name');
  });
});
