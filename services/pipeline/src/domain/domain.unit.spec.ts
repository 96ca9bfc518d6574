import { describe, expect, test } from 'vitest';
import { artifact, lookup, newRun, report } from '../../test/runs.ts';
import { decide } from './decide.ts';
import { componentsOf, explainDifference, fingerprintOf } from './fingerprint.ts';
import { nextAction } from './next-action.ts';
import { numberRun, pushRevision } from './project.ts';
import type { PipelineRun } from './run.ts';
import { isMetBy, nextFireAt, reasonAgainst, recordFiring, subjectMatches, type Trigger } from './trigger.ts';

describe('a fingerprint', () => {
  const ingested = [{ kind: 'begin' } as const, lookup('ingest')].reduce<PipelineRun>(
    (run, input) => decide(run, input, 1)?.run ?? run,
    newRun(['ingest', 'train']).run,
  );
  const withOutputs = (digest: string, card = 'sha256:c'): PipelineRun => {
    const outputs = [
      artifact({ name: 'data', digest }),
      artifact({ name: 'card', kind: 'card', digest: card }),
    ];
    return decide(ingested, report('ingest', { outputs }), 1)?.run ?? ingested;
  };
  const componentsAt = (run: PipelineRun) => componentsOf(run, run.steps[1]!);

  test('covers what a step reads, not the cards that people read', () => {
    expect(componentsAt(withOutputs('sha256:a'))).toEqual({
      'config.a': '1',
      protocol: '2',
      'input.ingest.data': 'sha256:a',
    });
    expect(componentsAt(withOutputs('sha256:a', 'sha256:d'))).toEqual(componentsAt(withOutputs('sha256:a')));
  });

  test('differs with the step and with any component', () => {
    const prints = [
      fingerprintOf('a', { x: '1' }),
      fingerprintOf('b', { x: '1' }),
      fingerprintOf('a', { x: '2' }),
      fingerprintOf('a', { y: '1' }),
    ];
    expect(new Set(prints).size).toBe(4);
    expect(fingerprintOf('a', { x: '1', y: '2' })).toBe(fingerprintOf('a', { y: '2', x: '1' }));
  });

  test('explains a difference by what changed itself before what followed from it', () => {
    const digest = 'a'.repeat(64);
    expect(
      explainDifference(
        { 'input.a.b': 'sha256:1', seed: '1', 'code.x.ts': digest, 'config.k': '1' },
        { 'input.a.b': 'sha256:2', seed: '2', 'code.x.ts': digest.replace('a', 'b'), 'config.l': '1' },
      ),
    ).toBe('code.x.ts changed, config.k removed, config.l added and 2 more');
    expect(explainDifference({ seed: '1' }, { seed: '2' })).toBe('seed 1 → 2');
  });
});

describe('the next action', () => {
  test('follows the state of the run', () => {
    const { run } = newRun(['deploy']);
    expect(nextAction(run, 1)?.kind).toBe('begin');
    const begun = decide(run, { kind: 'begin' }, 1)!.run;
    expect(nextAction(begun, 1)?.kind).toBe('ask_approval');
    const known = { kind: 'approval_known', step: 'deploy', subject: 'm/1', reason: '' } as const;
    const waiting = decide(begun, { ...known, verdict: 'pending' }, 1)!.run;
    expect(nextAction(waiting, 1)).toBeUndefined();
    const approved = decide(waiting, { ...known, verdict: 'approved' }, 1)!.run;
    expect(nextAction(approved, 1)?.kind).toBe('consult_cache');
    const running = decide(approved, lookup('deploy'), 1)!.run;
    expect(nextAction(running, 1)).toBeUndefined();
    expect(nextAction(running, running.steps[0]!.deadlineAt!)?.kind).toBe('tick');
    const done = decide(running, report('deploy'), 1)!.run;
    expect(nextAction(done, 1)?.kind).toBe('emit_trace');
    expect(nextAction(decide(done, { kind: 'traced' }, 1)!.run, 1)).toBeUndefined();
  });
});

const trigger = (over: Partial<Trigger> = {}): Trigger => ({
  name: 't',
  project: 'p',
  profile: '',
  condition: { kind: 'cron', expression: '0 3 * * *', timeZone: 'Europe/Berlin' },
  enabled: true,
  coolDownMs: 0,
  createdAt: 0,
  lastRunId: '',
  fired: 0,
  history: [],
  ...over,
});

describe('a schedule', () => {
  const at = (iso: string) => Date.parse(iso);

  test('keeps the wall clock of its time zone, across daylight saving', () => {
    const berlin = { kind: 'cron', expression: '0 3 * * *', timeZone: 'Europe/Berlin' } as const;
    expect(nextFireAt(berlin, at('2026-01-10T00:00:00Z'))).toBe(at('2026-01-10T02:00:00Z'));
    expect(nextFireAt(berlin, at('2026-07-10T00:00:00Z'))).toBe(at('2026-07-10T01:00:00Z'));
    expect(nextFireAt({ ...berlin, timeZone: '' }, at('2026-07-10T00:00:00Z'))).toBe(
      at('2026-07-10T03:00:00Z'),
    );
  });

  test.each([
    ['every tuesday', ''],
    ['2026-01-01T00:00:00', ''],
    ['99 * * * *', ''],
    ['0 3 * * *', 'Europe/Atlantis'],
  ])('%s in "%s" is refused', (expression, timeZone) => {
    expect(() => nextFireAt({ kind: 'cron', expression, timeZone }, 0)).toThrow('trigger.cron');
  });

  test('that was missed several times fires once and goes on with the next time', () => {
    const due = trigger({ nextFireAt: at('2026-01-01T02:00:00Z') });
    const fired = recordFiring(due, {
      at: at('2026-01-09T12:00:00Z'),
      on: '2026-01-01T02:00:00.000Z',
      outcome: 'started',
      detail: 'run_1',
    });
    expect(fired).toMatchObject({ fired: 1, lastRunId: 'run_1', nextFireAt: at('2026-01-10T02:00:00Z') });
  });

  test('that fired for an occasion is not recorded for it again', () => {
    const firing = { at: 1, on: 'x', outcome: 'started', detail: 'run_1' } as const;
    const fired = recordFiring(trigger(), firing);
    expect(recordFiring(fired, { ...firing, at: 2 })).toBe(fired);
  });
});

describe('a trigger', () => {
  const occasion = (
    causingRuns: { id: string; projectName: string; ancestry: readonly string[] }[] = [],
  ) => ({
    on: 'e1',
    causingRuns,
  });

  test('rests during its cool-down', () => {
    const resting = trigger({ coolDownMs: 60_000, lastFiredAt: 100_000 });
    expect(reasonAgainst(resting, occasion(), 130_000)).toBe('the cool-down lasts 30 s more');
    expect(reasonAgainst(resting, occasion(), 160_000)).toBeUndefined();
  });

  test('is not started by a run of its own project, nor by a chain that it began', () => {
    const own = { id: 'run_1', projectName: 'p', ancestry: [] };
    const chain = { id: 'run_2', projectName: 'q', ancestry: ['trigger:t', 'trigger:u'] };
    const other = { id: 'run_3', projectName: 'q', ancestry: ['trigger:u'] };
    expect(reasonAgainst(trigger(), occasion([own]), 1)).toContain('run_1 caused it');
    expect(reasonAgainst(trigger(), occasion([chain]), 1)).toContain('run_2 caused it');
    expect(reasonAgainst(trigger(), occasion([other]), 1)).toBeUndefined();
  });

  test('is met by subject and payload, from its creation on', () => {
    const onAlert = trigger({
      createdAt: 100,
      condition: {
        kind: 'event',
        subject: 'millrace.evt.monitoring.alert.*.v1',
        equals: { 'alert.endpoint': 'flights', 'alert.count': '3' },
      },
    });
    const event = {
      subject: 'millrace.evt.monitoring.alert.raised.v1',
      type: '',
      time: 200,
      data: { alert: { endpoint: 'flights', count: 3 } },
    };
    expect(isMetBy(onAlert, event, 'd')).toBe(true);
    expect(isMetBy(onAlert, { ...event, time: 99 }, 'd')).toBe(false);
    expect(isMetBy(onAlert, { ...event, data: { alert: { endpoint: 'trains', count: 3 } } }, 'd')).toBe(
      false,
    );
    expect(isMetBy(onAlert, { ...event, data: null }, 'd')).toBe(false);
    expect(isMetBy(onAlert, { ...event, subject: 'millrace.evt.monitoring.drift.detected.v1' }, 'd')).toBe(
      false,
    );
    expect(isMetBy({ ...onAlert, enabled: false }, event, 'd')).toBe(false);
  });

  test.each([
    ['a.b.c', 'a.b.c', true],
    ['a.*.c', 'a.b.c', true],
    ['a.>', 'a.b.c', true],
    ['a.b', 'a.b.c', false],
    ['a.b.c.>', 'a.b.c', false],
    ['a.b.c.*', 'a.b.c', false],
    ['a.c', 'a.b', false],
  ])('subject %s covers %s: %s', (filter, subject, expected) => {
    expect(subjectMatches(filter, subject)).toBe(expected);
  });
});

describe('a project', () => {
  const snapshot = (digest: string) => ({
    project: 'p',
    manifestDigest: digest,
    commit: '',
    dirtyDigest: '',
  });
  const revision = (digest: string) => ({ snapshot: snapshot(digest), profile: 'local' });

  test('numbers its runs, each once', () => {
    const one = numberRun(undefined, 'run_a', revision('1'), true, 1);
    const two = numberRun(one, 'run_b', revision('1'), true, 2);
    expect(two.numbers).toEqual({ run_a: 1, run_b: 2 });
    expect(numberRun(two, 'run_a', revision('1'), true, 3)).toBe(two);
  });

  test('has the snapshot of the latest run that a person asked for, until one is pushed', () => {
    const first = numberRun(undefined, 'run_a', revision('1'), true, 1);
    const second = numberRun(first, 'run_b', revision('2'), true, 2);
    expect(second).toMatchObject({ revision: 2, snapshot: { manifestDigest: '2' } });
    const triggered = numberRun(second, 'run_c', revision('3'), false, 3);
    expect(triggered.snapshot.manifestDigest).toBe('2');
    const pushed = pushRevision(triggered, revision('4'), 4);
    expect(pushed).toMatchObject({ revision: 3, pushed: true, runCount: 3 });
    expect(numberRun(pushed, 'run_d', revision('5'), true, 5).snapshot.manifestDigest).toBe('4');
    expect(pushRevision(pushed, revision('4'), 6).revision).toBe(3);
  });
});
