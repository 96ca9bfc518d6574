import { stripVTControlCharacters } from 'node:util';
import { Run, StepState } from '@millrace/contracts/pipeline';
import { StepProgress } from '@millrace/contracts/step';
import type { SpanRecord } from '@millrace/telemetry';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Output } from '../output.ts';
import { lineageTree } from './lineage-tree.ts';
import { PlainSteps } from './plain-steps.ts';
import { stepLine } from './steps-view.ts';
import { traceTree } from './trace-tree.ts';

const plainText = (lines: readonly string[]) => lines.map((line) => stripVTControlCharacters(line));

const runOf = (steps: Record<string, unknown>[], part: object = {}): Run =>
  Run.fromPartial({ id: 'run_1', number: 2, steps: steps as never, ...part });
const lineOf = (step: Record<string, unknown>, part: object = {}): string => {
  const run = runOf([{ name: 'train', ...step }], part);
  const [first] = run.steps;
  return first === undefined ? '' : stripVTControlCharacters(stepLine(first, run));
};
const ran = { startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:03.200Z' };

describe('the line of a step', () => {
  it('says how long it took, its figures, and why it was run', () => {
    const step = {
      ...ran,
      state: StepState.STEP_STATE_SUCCEEDED,
      summary: { rows: 3, rmse: 1.23456789, deep: { a: 1 } },
      cache: { hit: false, reason: 'seed changed since run_0' },
    };
    expect(lineOf(step)).toBe('train  3.2 s  rows 3, rmse 1.23457  (seed changed since run_0)');
    expect(lineOf(step, { number: 1 })).not.toContain('changed');
  });

  it('says that it was cached and why', () => {
    const cache = { hit: true, reason: 'nothing changed' };
    expect(lineOf({ ...ran, state: StepState.STEP_STATE_CACHED, cache }, { number: 1 })).toBe(
      'train  cached  (nothing changed)',
    );
  });

  it.each([
    [StepState.STEP_STATE_SKIPPED, 'train  not run'],
    [StepState.STEP_STATE_PENDING, 'train  not run'],
    [StepState.STEP_STATE_CANCELLED, 'train  cancelled'],
  ])('%s is never taken for done', (state, text) => {
    expect(lineOf({ state })).toBe(text);
  });

  it('gives the error and what is waited for, on one line and without control characters', () => {
    const error = { message: 'broken\n  at \u001b[31mline 3' };
    expect(lineOf({ ...ran, state: StepState.STEP_STATE_FAILED, error })).toBe(
      'train  3.2 s  broken at \\x1b[31mline 3',
    );
    expect(lineOf({ state: StepState.STEP_STATE_WAITING, waitingFor: 'approval of a/1' })).toBe(
      'train  waits for approval of a/1',
    );
  });
});

describe('steps in a pipe', () => {
  const written: string[] = [];
  beforeEach(() => {
    vi.useFakeTimers();
    written.length = 0;
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.push(stripVTControlCharacters(String(text)).trimEnd());
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });
  const step = (name: string, state: StepState, more: object = {}) => ({ name, state, ...more });
  const progress = (message: string) => StepProgress.fromPartial({ step: 'train', fraction: 0.5, message });

  it('are one line per beginning and end, with few of progress, and tell what was not run', () => {
    const view = new PlainSteps(new Output(false));
    const {
      STEP_STATE_PENDING,
      STEP_STATE_RUNNING,
      STEP_STATE_SUCCEEDED,
      STEP_STATE_FAILED,
      STEP_STATE_SKIPPED,
    } = StepState;
    view.update(
      runOf([
        step('train', STEP_STATE_RUNNING),
        step('deploy', STEP_STATE_PENDING),
        step('monitor', STEP_STATE_SKIPPED),
      ]),
    );
    for (let i = 0; i < 100; i += 1) view.progress(progress(`trial ${i}`));
    vi.advanceTimersByTime(11_000);
    for (let i = 0; i < 100; i += 1) view.progress(progress(`late ${i}`));
    const error = { message: 'no' };
    view.update(
      runOf([
        step('train', STEP_STATE_FAILED, { error }),
        step('deploy', STEP_STATE_SKIPPED),
        step('monitor', STEP_STATE_SKIPPED),
      ]),
    );
    expect(written).toEqual(['> train', '  train  50 % late 0', '✖ train    no', '- deploy  not run']);
    written.length = 0;
    view.update(runOf([step('train', STEP_STATE_SUCCEEDED, { warnings: ['few rows'] })]));
    expect(written[0]).toBe('warning train: few rows');
  });
});

describe('trees', () => {
  const span = (
    spanId: string,
    parentSpanId: string | undefined,
    start: number,
    more: Partial<SpanRecord> = {},
  ): SpanRecord => ({
    traceId: 't',
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name: spanId,
    kind: 'internal',
    service: 's',
    start,
    duration: 10,
    attributes: {},
    links: [],
    ...more,
  });

  it('draw a trace by parents and start, with durations and errors, orphans at the top', () => {
    const lines = traceTree([
      span('late', 'root', 20, { error: 'it broke' }),
      span('root', undefined, 0, { duration: 1500 }),
      span('early', 'root', 10),
      span('orphan', 'gone', 5),
    ]);
    expect(plainText(lines)).toEqual([
      's root 1.5 s +0.0 ms',
      '├─ s early 10 ms +10 ms',
      '└─ s late 10 ms +20 ms it broke',
      's orphan 10 ms +5.0 ms',
    ]);
  });

  it('leave out short spans, but not the parents of long ones', () => {
    const lines = traceTree(
      [
        span('a', undefined, 0),
        span('b', 'a', 1, { duration: 1 }),
        span('c', 'b', 2),
        span('d', 'a', 3, { duration: 1 }),
      ],
      5,
    );
    expect(plainText(lines).map((line) => line.replace(/ \d.*/, ''))).toEqual(['s a', '└─ s b', '   └─ s c']);
  });

  it('draw lineage without going round in circles', () => {
    const node = (id: string) => ({ id, kind: '', label: '', attributes: {} });
    const edges = [
      { from: 'a', to: 'b', relation: 'made' },
      { from: 'b', to: 'a', relation: 'fed' },
    ];
    const lines = lineageTree(
      { nodes: [node('a'), node('b')], edges, truncated: false } as never,
      'a',
      'downstream',
    );
    expect(plainText(lines)).toEqual(['a', '└─ made b', '   └─ fed a (above)']);
  });
});
