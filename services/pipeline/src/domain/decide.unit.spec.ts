import type { StepError } from '@millrace/contracts/step';
import { describe, expect, test } from 'vitest';
import { lookup, modelVersion, newRun, report, run, spans, stepOf, summaryOf } from '../../test/runs.ts';
import { decide, defaultPatience } from './decide.ts';
import type { Decided, Effect } from './effects.ts';
import type { RunInput } from './inputs.ts';
import { type PipelineRun, wakeAt } from './run.ts';

const now = 1_000_000;
const actor = { name: 'user:ada', reason: 'why not' };

const after = (start: PipelineRun, inputs: readonly RunInput[], at = now): PipelineRun =>
  inputs.reduce((current, input) => decide(current, input, at)?.run ?? current, start);
const must = (start: PipelineRun, input: RunInput, at = now): Decided => {
  const decided = decide(start, input, at);
  if (decided === undefined) throw new Error(`${input.kind} changed nothing`);
  return decided;
};
const kinds = (effects: readonly Effect[]) =>
  effects.map((effect) => ('step' in effect ? [effect.kind, effect.step] : [effect.kind]));
const failure = (over: Partial<StepError> = {}): StepError => ({
  code: 'unavailable',
  message: 'no',
  hint: '',
  violations: [],
  retryable: true,
  ...over,
});

const queued = newRun(['ingest', 'train', 'deploy']).run;
const begun = after(queued, [{ kind: 'begin' }]);
const ingesting = after(begun, [lookup('ingest')]);
const ingested = after(ingesting, [report('ingest')]);
const training = after(ingested, [lookup('train')]);
const trained = after(training, [report('train', { outputs: [modelVersion] })]);
const waiting = after(trained, [
  { kind: 'approval_known', step: 'deploy', subject: 'm/1', verdict: 'pending', reason: '' },
]);

describe('a run', () => {
  test('given a plan, is asked for with every step pending', () => {
    const decided = newRun(['ingest', 'train']);
    expect(summaryOf(decided.run)).toEqual(['queued', 'ingest:pending', 'train:pending']);
    expect(kinds(decided.effects)).toEqual([['run_requested']]);
  });

  test('given that it is queued, begins', () => {
    expect(must(queued, { kind: 'begin' }).run).toMatchObject({ state: 'running', startedAt: now });
    expect(decide(begun, { kind: 'begin' }, now)).toBeUndefined();
  });

  test('given that the last step succeeds, succeeds', () => {
    const deploying = after(waiting, [
      { kind: 'approval_known', step: 'deploy', subject: 'm/1', verdict: 'approved', reason: '' },
      lookup('deploy'),
    ]);
    const { run: done, effects } = must(deploying, report('deploy'));
    expect(summaryOf(done)).toEqual(['succeeded', 'ingest:succeeded', 'train:succeeded', 'deploy:succeeded']);
    expect(kinds(effects)).toEqual([['step_finished', 'deploy'], ['run_ended']]);
    expect(done.finishedAt).toBe(now);
  });

  test('given steps that were not asked for, leaves them out', () => {
    const { run: partial } = newRun(['ingest', 'train', 'deploy'], { toStep: 'train' });
    expect(summaryOf(partial)).toEqual(['queued', 'ingest:pending', 'train:pending', 'deploy:skipped']);
    const done = after(partial, [
      { kind: 'begin' },
      lookup('ingest'),
      report('ingest'),
      lookup('train'),
      report('train'),
    ]);
    expect(done.state).toBe('succeeded');
  });

  test('given steps to run anew, says so for these and those behind', () => {
    const { run: partial } = newRun(['ingest', 'train', 'deploy'], { fromStep: 'train' });
    expect(partial.steps.map(({ plan }) => plan.uncacheable)).toEqual([
      undefined,
      'it was asked to run anew from here',
      'it was asked to run anew from here',
    ]);
    expect(newRun(['ingest'], { noCache: true }).run.steps[0]?.plan.uncacheable).toBe(
      'every step was asked to run anew',
    );
  });

  test.each([
    [{ toStep: 'trane' }, 'to_step: the recipe has no step "trane"'],
    [{ fromStep: 'deploy', toStep: 'train' }, 'from_step: "deploy" comes after "train"'],
  ])('given %j, is refused', (range, message) => {
    expect(() => newRun(['ingest', 'train', 'deploy'], range)).toThrow(message);
  });
});

describe('a step', () => {
  test('given a cache miss, is handed to its service with a deadline', () => {
    const { run: changed, effects } = must(begun, lookup('ingest'));
    expect(stepOf(changed, 'ingest')).toMatchObject({
      state: 'running',
      attempt: 1,
      startedAt: now,
      deadlineAt: now + 2 * 60_000 + defaultPatience.backstopMs,
      cache: { hit: false },
    });
    expect(kinds(effects)).toEqual([['step_dispatched', 'ingest']]);
    expect(wakeAt(changed)).toBe(now + 2 * 60_000 + defaultPatience.backstopMs);
  });

  test('given a cache hit, is done with the outputs of the earlier run', () => {
    const hit = lookup('ingest', { madeAt: 5, madeBy: 'run_0', outputs: [modelVersion], warnings: ['w'] });
    const { run: changed, effects } = must(begun, hit);
    expect(stepOf(changed, 'ingest')).toMatchObject({
      state: 'cached',
      attempt: 0,
      outputs: [modelVersion],
      madeAt: 5,
      madeBy: 'run_0',
    });
    expect(changed.fingerprints).toEqual({ ingest: 'fp-ingest' });
    expect(kinds(effects)).toEqual([['step_finished', 'ingest']]);
  });

  test('given success, hands on and can be found by its fingerprint', () => {
    expect(stepOf(ingested, 'ingest')).toMatchObject({
      state: 'succeeded',
      finishedAt: now,
      madeBy: 'run_1',
    });
    expect(stepOf(ingested, 'ingest')?.deadlineAt).toBeUndefined();
    expect(ingested.fingerprints).toEqual({ ingest: 'fp-ingest' });
    expect(ingested.state).toBe('running');
  });

  test('given a failure that may pass, is tried again after a growing while, at most as often as allowed', () => {
    const first = must(ingesting, report('ingest', { error: failure() })).run;
    expect(stepOf(first, 'ingest')).toMatchObject({ state: 'pending', attempt: 1, retryAt: now + 1000 });
    expect(decide(first, { kind: 'tick' }, now + 999)).toBeUndefined();
    const second = must(first, { kind: 'tick' }, now + 1000);
    expect(kinds(second.effects)).toEqual([['step_dispatched', 'ingest']]);
    expect(stepOf(second.run, 'ingest')).toMatchObject({ state: 'running', attempt: 2 });
    expect(stepOf(second.run, 'ingest')?.retryAt).toBeUndefined();
    const third = after(
      must(second.run, report('ingest', { attempt: 2, error: failure() }), now + 1000).run,
      [{ kind: 'tick' }],
      now + 3000,
    );
    expect(stepOf(third, 'ingest')?.attempt).toBe(3);
    const failed = must(third, report('ingest', { attempt: 3, error: failure() }));
    expect(summaryOf(failed.run)).toEqual(['failed', 'ingest:failed', 'train:skipped', 'deploy:skipped']);
    expect(kinds(failed.effects)).toEqual([['step_finished', 'ingest'], ['run_ended']]);
  });

  test('given a failure that will not pass, fails at once and takes the run with it', () => {
    const error = failure({ code: 'invalid', retryable: false });
    const { run: failed } = must(ingesting, report('ingest', { error }));
    expect(failed).toMatchObject({ state: 'failed', error, finishedAt: now });
    expect(stepOf(failed, 'ingest')).toMatchObject({ state: 'failed', error });
    expect(failed.fingerprints).toEqual({});
  });

  test('given silence beyond its deadline, is tried again', () => {
    const deadline = wakeAt(ingesting) ?? 0;
    expect(decide(ingesting, { kind: 'tick' }, deadline - 1)).toBeUndefined();
    const { run: silent } = must(ingesting, { kind: 'tick' }, deadline);
    expect(stepOf(silent, 'ingest')).toMatchObject({ state: 'pending', error: { code: 'timed_out' } });
    expect(wakeAt(silent)).toBe(deadline + 1000);
  });

  test.each([
    [
      'an earlier attempt',
      after(ingesting, [report('ingest', { error: failure() }), { kind: 'tick' }], now),
      report('ingest'),
    ],
    ['a later attempt', ingesting, report('ingest', { attempt: 2 })],
    ['a step that is done', ingested, report('ingest')],
    ['a step that has not begun', ingesting, report('train')],
    [
      'a step of a run that ended',
      after(ingesting, [report('ingest', { error: failure({ retryable: false }) })]),
      report('ingest'),
    ],
  ])('given a report of %s, refuses it and counts', (_, start, input) => {
    const { run: changed, effects } = must(start, input);
    expect(changed).toEqual({ ...start, refusedResults: start.refusedResults + 1 });
    expect(effects).toEqual([]);
  });

  test.each([
    ['the cache was consulted already', ingesting, lookup('ingest')],
    ['the run is at another step', begun, lookup('train')],
    [
      'the run has ended',
      after(ingesting, [report('ingest', { error: failure({ retryable: false }) })]),
      lookup('ingest'),
    ],
  ])('given a cache lookup although %s, does nothing', (_, start, input) => {
    expect(decide(start, input, now)).toBeUndefined();
  });
});

describe('an approval', () => {
  const known = (verdict: 'approved' | 'not_needed' | 'pending' | 'rejected'): RunInput => ({
    kind: 'approval_known',
    step: 'deploy',
    subject: 'm/1',
    verdict,
    reason: 'looks odd',
  });

  test('that is pending makes the run wait', () => {
    const { run: changed, effects } = must(trained, known('pending'));
    expect(changed).toMatchObject({ state: 'waiting', waitingFor: 'approval of m/1' });
    expect(stepOf(changed, 'deploy')).toMatchObject({ state: 'waiting', waitingFor: 'approval of m/1' });
    expect(kinds(effects)).toEqual([['step_waiting', 'deploy']]);
    expect(decide(changed, known('pending'), now)).toBeUndefined();
    expect(wakeAt(changed)).toBeUndefined();
  });

  test.each(['approved', 'not_needed'] as const)(
    'that is %s lets it go on, also when it did not wait',
    (verdict) => {
      for (const start of [trained, waiting]) {
        const { run: changed } = must(start, known(verdict));
        expect(changed).toMatchObject({ state: 'running', waitingFor: '' });
        expect(stepOf(changed, 'deploy')).toMatchObject({ state: 'pending', approved: true });
        expect(decide(changed, known(verdict), now)).toBeUndefined();
      }
    },
  );

  test('that is refused fails the step with the reason', () => {
    const { run: changed } = must(waiting, known('rejected'));
    expect(summaryOf(changed)).toEqual(['failed', 'ingest:succeeded', 'train:succeeded', 'deploy:failed']);
    expect(changed.error).toMatchObject({
      code: 'failed_precondition',
      message: 'm/1 was refused: looks odd',
    });
  });
});

describe('a cancelled run', () => {
  test('given no step under way, ends at once', () => {
    for (const start of [queued, begun, waiting]) {
      const { run: changed, effects } = must(start, { kind: 'cancel', actor });
      expect(changed).toMatchObject({ state: 'cancelled', cancelledBy: actor, waitingFor: '' });
      expect(kinds(effects).map(([kind]) => kind)).toEqual([
        'cancel_requested',
        'step_finished',
        'run_ended',
      ]);
    }
  });

  test('given a step under way, waits for its worker to stop', () => {
    const { run: asked, effects } = must(ingesting, { kind: 'cancel', actor });
    expect(kinds(effects)).toEqual([['cancel_requested']]);
    expect(asked.state).toBe('running');
    const { run: ended } = must(
      asked,
      report('ingest', { error: failure({ code: 'cancelled', retryable: false }) }),
    );
    expect(summaryOf(ended)).toEqual(['cancelled', 'ingest:cancelled', 'train:skipped', 'deploy:skipped']);
  });

  test('given a worker that does not answer, ends without it', () => {
    const asked = must(ingesting, { kind: 'cancel', actor }).run;
    expect(wakeAt(asked)).toBe(now + defaultPatience.cancelMs);
    expect(must(asked, { kind: 'tick' }, now + defaultPatience.cancelMs).run.state).toBe('cancelled');
  });

  test('given that the step succeeded meanwhile, keeps what it made and begins nothing more', () => {
    const asked = must(ingesting, { kind: 'cancel', actor }).run;
    const { run: ended } = must(asked, report('ingest'));
    expect(summaryOf(ended)).toEqual(['cancelled', 'ingest:succeeded', 'train:cancelled', 'deploy:skipped']);
    expect(ended.fingerprints).toHaveProperty('ingest');
  });

  test('given that it is cancelled or over, is not cancelled again', () => {
    const asked = must(ingesting, { kind: 'cancel', actor }).run;
    expect(decide(asked, { kind: 'cancel', actor }, now)).toBeUndefined();
    expect(
      decide(must(queued, { kind: 'cancel', actor }).run, { kind: 'cancel', actor }, now),
    ).toBeUndefined();
  });
});

describe('a resumed run', () => {
  const failed = after(training, [report('train', { error: failure({ retryable: false }) })]);

  test('given a failure, goes on from there with a new span and attempts that count on', () => {
    const later = now + 50;
    const { run: resumed, effects } = must(
      failed,
      { kind: 'resume', actor, spanIds: spans(4, 'again') },
      later,
    );
    expect(summaryOf(resumed)).toEqual(['running', 'ingest:succeeded', 'train:pending', 'deploy:pending']);
    expect(resumed).toMatchObject({
      spanId: 'again0',
      parentSpanId: failed.spanId,
      beganAt: later,
      open: 1,
      traced: false,
    });
    expect(resumed.error).toBeUndefined();
    expect(resumed.finishedAt).toBeUndefined();
    expect(stepOf(resumed, 'train')).toMatchObject({
      attempt: 1,
      maxAttempts: 4,
      fingerprint: '',
      spanId: 'again2',
    });
    expect(kinds(effects)).toEqual([['run_resumed']]);
    const again = after(resumed, [lookup('train')]);
    expect(stepOf(again, 'train')).toMatchObject({ state: 'running', attempt: 2 });
    const retried = must(again, report('train', { attempt: 2, error: failure() })).run;
    expect(stepOf(retried, 'train')?.retryAt).toBe(now + 1000);
  });

  test('refuses what a worker of before still reports', () => {
    const resumed = after(failed, [{ kind: 'resume', actor, spanIds: spans(4, 'again') }, lookup('train')]);
    expect(must(resumed, report('train')).run.refusedResults).toBe(1);
  });

  test('given a cancellation, is no longer cancelled', () => {
    const cancelled = must(waiting, { kind: 'cancel', actor }).run;
    const resumed = must(cancelled, { kind: 'resume', actor, spanIds: spans(4, 'again') }).run;
    expect(resumed.cancelledBy).toBeUndefined();
    expect(summaryOf(resumed)).toEqual(['running', 'ingest:succeeded', 'train:succeeded', 'deploy:pending']);
  });

  test('given that it runs or succeeded, is not resumed', () => {
    for (const start of [queued, ingesting, waiting]) {
      expect(decide(start, { kind: 'resume', actor, spanIds: [] }, now)).toBeUndefined();
    }
  });

  test('leaves out again what was not asked for', () => {
    const { run: partial } = newRun(['ingest', 'train', 'deploy'], { toStep: 'train' });
    const broken = after(partial, [
      { kind: 'begin' },
      lookup('ingest'),
      report('ingest', { error: failure({ retryable: false }) }),
      { kind: 'resume', actor, spanIds: spans(4, 'again') },
    ]);
    expect(summaryOf(broken)).toEqual(['running', 'ingest:pending', 'train:pending', 'deploy:skipped']);
  });
});

describe('any run', () => {
  test('keeps its promises whatever happens in whatever order', () => {
    const random = run.random(7);
    for (let round = 0; round < 300; round += 1) {
      let current = queued;
      let at = now;
      for (let turn = 0; turn < 40; turn += 1) {
        at += Math.floor(random() * 200_000);
        const decided = decide(current, run.anyInput(random, current), at);
        if (decided === undefined) continue;
        run.expectSound(current, decided);
        current = decided.run;
      }
    }
  });
});
