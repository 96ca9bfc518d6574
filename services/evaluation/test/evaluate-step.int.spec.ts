import { Report, Verdict } from '@millrace/contracts/evaluation';
import { ErrorCode } from '@millrace/errors';
import { type PackageFiles, withoutColumns } from '@millrace/modeling';
import { trainPackage } from '@millrace/modeling/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CommandOptions, type Lab, openLab } from './lab.ts';
import { trips } from './trips.ts';

let lab: Lab;
let data: Pick<CommandOptions, 'validation' | 'test'>;
/** Boosted trees, and the mean. */
let good: string;
let poor: string;

const table = (rows: number, seed: number) => withoutColumns(trips({ rows, seed }), ['late']);
const train = (using: string): Promise<PackageFiles> =>
  trainPackage({ table: table(400, 1), task: 'regression', target: 'minutes', using });

beforeAll(async () => {
  lab = await openLab();
  data = { validation: await lab.putTable(table(150, 2)), test: await lab.putTable(table(200, 3)) };
  good = await lab.putModel(await train('ydf/gradient_boosted_trees'));
  poor = await lab.putModel(await train('baseline/mean'));
});
afterAll(() => lab.stop());
beforeEach(() => {
  lab.champion = undefined;
});

let runs = 0;
const command = (part: Partial<CommandOptions> = {}): CommandOptions => {
  runs += 1;
  return { run: `run-${runs}`, recipe: { modelName: 'trips' }, model: good, ...data, ...part };
};
const criteria = (...validation_criteria: object[]) => ({ validation_criteria });
const textOf = async (digest: string) => {
  const chunks: Buffer[] = [];
  for await (const chunk of await lab.blobs.get(digest as never)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

describe('a model that passes', () => {
  it('ends the step with its report and card, stored, bound to model and data, and published', async () => {
    const config = {
      ...criteria(
        { metric: 'root_mean_squared_error', threshold: 5 },
        { metric: 'max_error', max: 90, slice: 'worst' },
      ),
      slices: ['city', { name: 'far', where: 'distance > 60', min_support: 20 }],
    };
    const sent = command({ config });
    const outcome = await lab.evaluate(sent);
    expect(outcome.kind).toBe('succeeded');
    const [artifact, card] = outcome.result.outputs;
    expect(artifact).toMatchObject({
      kind: 'evaluation_report',
      id: `${sent.run}.evaluate.1`,
      attributes: { verdict: 'VALIDATED' },
    });
    expect(card).toMatchObject({ kind: 'card', mediaType: 'text/html' });
    expect(outcome.result.summary).toMatchObject({
      verdict: 'VALIDATED',
      rows: 200,
      primaryMetric: 'root_mean_squared_error',
    });

    const { report } = await lab.reports.getReport({ id: artifact!.id });
    expect(report).toMatchObject({
      modelDigest: good,
      dataDigest: data.test,
      datasetVersionId: 'trips/1',
      trainingRunId: 'run-7',
      pipelineRunId: sent.run,
      modelName: 'trips',
      cardDigest: card!.digest,
      champion: '',
      verdict: Verdict.VERDICT_VALIDATED,
    });
    expect(report?.metrics.map(({ split, slice }) => `${split}/${slice}`).sort()).toEqual([
      'test/',
      'test/city=Bern',
      'test/city=Graz',
      'test/city=Oslo',
      'test/far',
      'validation/',
    ]);
    expect(report?.importance[0]?.feature).toBe('distance');
    expect(await textOf(card!.digest)).toContain('Evaluation of trips');
    expect(JSON.parse(await textOf(artifact!.digest))).toMatchObject({ verdict: 'VALIDATED' });

    const event = await lab.event(
      ({ type, key }) => type === 'millrace.evaluation.report.passed.v1' && key === artifact!.id,
    );
    expect(Report.fromJSON((event.data as { report: unknown }).report)).toEqual(report);
  });

  it('needs no gates: the verdict is unknown then', async () => {
    const outcome = await lab.evaluate(command());
    expect(outcome.result.summary).toMatchObject({ verdict: 'UNKNOWN', gates: [] });
  });

  it('finds the newest verdict of exactly this model', async () => {
    await lab.evaluate(command({ model: poor }));
    const later = command({ model: poor });
    await lab.evaluate(later);
    const { report } = await lab.reports.findVerdict({ modelDigest: poor, dataDigest: data.test });
    expect(report?.pipelineRunId).toBe(later.run);
    await expect(
      lab.reports.findVerdict({ modelDigest: poor, dataDigest: data.validation }),
    ).rejects.toMatchObject({
      code: ErrorCode.notFound,
    });
  });

  it('lists reports newest first, page by page, by model name', async () => {
    const recipe = { modelName: 'listed' };
    for (const _ of [1, 2, 3]) await lab.evaluate(command({ recipe }));
    const first = await lab.reports.listReports({ modelName: 'listed', page: { limit: 2, cursor: '' } });
    const rest = await lab.reports.listReports({
      modelName: 'listed',
      page: { limit: 2, cursor: first.page!.nextCursor },
    });
    const times = [...first.reports, ...rest.reports].map(({ createdAt }) => createdAt!);
    expect(times).toHaveLength(3);
    expect(times).toEqual(times.toSorted().toReversed());
    expect(rest.page?.nextCursor).toBe('');
  });
});

describe('a model that fails a gate', () => {
  it('fails the step, names criterion, value and limit, and keeps report and card', async () => {
    const sent = command({
      model: poor,
      config: criteria({ metric: 'root_mean_squared_error', threshold: 1 }, { metric: 'r2_score', max: 2 }),
    });
    const outcome = await lab.evaluate(sent);
    if (outcome.kind !== 'failed') throw new Error('it passed');
    expect(outcome.result.error).toMatchObject({ code: ErrorCode.failedPrecondition, retryable: false });
    expect(outcome.result.error?.message).toMatch(
      /failed 1 of 2 criteria: root_mean_squared_error <= 1: [\d.]+ is above 1$/,
    );
    expect(outcome.result.outputs.map(({ kind }) => kind)).toEqual(['evaluation_report', 'card']);
    expect(outcome.result.outputs[0]?.attributes.verdict).toBe('REJECTED');
    const { report } = await lab.reports.getReport({ id: `${sent.run}.evaluate.1` });
    expect(report?.gates.map(({ passed }) => passed)).toEqual([false, true]);
    await lab.event(({ type, key }) => type === 'millrace.evaluation.report.failed.v1' && key === report?.id);
  });
});

describe('against the champion', () => {
  const config = criteria({
    metric: 'root_mean_squared_error',
    compare: 'champion',
    max_regression: 0.5,
    paired: true,
  });

  it('passes with the reason when there is none', async () => {
    const outcome = await lab.evaluate(command({ config }));
    expect(outcome.result.summary).toMatchObject({ gates: [{ passed: true, reason: 'no champion' }] });
  });

  it('passes a better model and names whom it beat', async () => {
    lab.champion = { version: 2, digest: poor };
    const outcome = await lab.evaluate(command({ config }));
    expect(outcome.kind).toBe('succeeded');
    expect(outcome.result.summary).toMatchObject({ champion: 'trips/2' });
  });

  it('fails a worse model', async () => {
    lab.champion = { version: 1, digest: good };
    const outcome = await lab.evaluate(command({ config, model: poor }));
    if (outcome.kind !== 'failed') throw new Error('it passed');
    expect(outcome.result.error?.message).toMatch(/at worst [\d.]+ worse than [\d.]+ of trips\/1/);
  });

  it('does without the registry unless a gate needs the champion', async () => {
    await lab.registryUp(false);
    const outcome = await lab.evaluate(command());
    expect(outcome).toMatchObject({
      kind: 'succeeded',
      result: { warnings: [expect.stringContaining('not compared with the champion')] },
    });
    await lab.registryUp(true);
  });
});

describe('metrics of the project', () => {
  const bias = `
import { half } from '../helpers/half.ts';
export const bias = (table, builtIn) =>
  half * table.prediction.reduce((sum, value, row) => sum + value - table.target[row], 0) / builtIn.example_count;
export const broken = () => { throw new Error('no metric today'); };
export const wordy = () => 'good';
export const thief = async () => (await import('node:fs')).readFileSync('/etc/passwd', 'utf8').length;
`;
  const project = () =>
    lab.putProject({
      'steps/custom_metrics.ts': bias,
      'helpers/half.ts': 'export const half: number = 0.5;',
    });
  const recipe = (name: string) => ({ customMetrics: [{ name, function: name, greaterIsBetter: false }] });

  it('are computed, shown and can be a gate', async () => {
    const sent = command({
      recipe: recipe('bias'),
      project: await project(),
      config: criteria({ metric: 'bias', threshold: 0.5 }),
    });
    expect((await lab.evaluate(sent)).kind).toBe('succeeded');
    const { report } = await lab.reports.getReport({ id: `${sent.run}.evaluate.1` });
    const value = report?.metrics[0]?.metrics.find(({ name }) => name === 'bias')?.value;
    expect(Math.abs(value ?? 99)).toBeLessThan(0.5);
  });

  it.each([
    ['broken', /no metric today/],
    ['wordy', /gave good, not a finite number/],
    ['absent', /exports no function "absent"/],
    ['thief', /access/i],
  ])('%s is an error of the step, and there is no report', async (name, message) => {
    const sent = command({ recipe: recipe(name), project: await project() });
    const outcome = await lab.evaluate(sent);
    if (outcome.kind !== 'failed') throw new Error('it passed');
    expect(outcome.result.error?.message).toMatch(message);
    await expect(lab.reports.getReport({ id: `${sent.run}.evaluate.1` })).rejects.toMatchObject({
      code: ErrorCode.notFound,
    });
  });
});

describe('bad input', () => {
  it.each<[string, Partial<CommandOptions>, ErrorCode, RegExp]>([
    [
      'an unknown metric',
      { config: criteria({ metric: 'rmse', threshold: 1 }) },
      ErrorCode.invalid,
      /validation_criteria\[0\]\.metric/,
    ],
    [
      'a slice on no column',
      { config: { slices: ['speed'] } },
      ErrorCode.invalid,
      /steps\.evaluate\.slices\[0\]/,
    ],
    ['a target that is not there', { recipe: { targetColumn: 'delay' } }, ErrorCode.invalid, /delay/],
    ['a missing model', { model: '' }, ErrorCode.invalid, /inputs\.model\.digest/],
    [
      'a model that is no package',
      {
        get model() {
          return data.test;
        },
      } as never,
      ErrorCode.invalid,
      /model/,
    ],
    ['a blob that is gone', { model: `sha256:${'0'.repeat(64)}` }, ErrorCode.notFound, /sha256:0000/],
  ])('%s fails the step by its name', async (_, part, code, message) => {
    const outcome = await lab.evaluate(command(part));
    if (outcome.kind !== 'failed') throw new Error('it passed');
    expect(outcome.result.error?.code).toBe(code);
    expect(outcome.result.error?.message).toMatch(message);
  });
});

describe('delivery', () => {
  it('makes one report and one result of a command that comes twice', async () => {
    const sent = command();
    await lab.send(sent);
    await lab.send(sent);
    await lab.evaluate(sent);
    // Commands are taken in order, so the repeats are through when this one is.
    const marker = command();
    await lab.evaluate(marker);
    const events = await lab.eventsUntil(
      ({ key, type }) => key === `${marker.run}.evaluate.1` && type.includes('.step.'),
    );
    const ofRun = events.filter(({ key }) => key === `${sent.run}.evaluate.1`).map(({ type }) => type);
    expect(ofRun.sort()).toEqual([
      'millrace.evaluation.report.passed.v1',
      'millrace.evaluation.step.succeeded.v1',
    ]);
  });
});
