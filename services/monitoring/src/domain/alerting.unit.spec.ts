import { describe, expect, it } from 'vitest';
import { decideAlert } from './alerting.ts';
import type { Rule } from './monitor.ts';
import { judgeWindow } from './verdict.ts';
import type { WindowReport } from './window-report.ts';

const report = (number: number, errors: number, records = 100): WindowReport => ({
  window: {
    id: `e/${number}`,
    endpoint: 'e',
    number,
    version: 1,
    closed: true,
    from: undefined,
    to: undefined,
    records,
    errors,
    latencyP50Ms: 1,
    latencyP95Ms: 2,
    drift: [],
    drifted: false,
    labelled: 0,
    performance: {},
    qualityFindings: [],
    recordsByRevision: {},
  },
  revisions: { 1: { records, errors, latencyP50Ms: 1, latencyP95Ms: 2 } },
  missingRates: {},
  skipped: [],
});

const rule = (fireAfter: number, ofWindows: number): Rule => ({
  name: 'errors',
  check: 'error_rate',
  threshold: 0.05,
  severity: 'warning',
  fireAfter,
  ofWindows,
});
const task = { type: 'regression' } as const;

/** Decisions as windows close one after the other; `x` breaks the rule, `.` keeps it, `?` cannot be judged. */
const play = (which: Rule, windows: string): string => {
  const closed: WindowReport[] = [];
  let open = false;
  let decisions = '';
  for (const [i, symbol] of [...windows].entries()) {
    closed.unshift(report(i + 1, symbol === 'x' ? 10 : 0, symbol === '?' ? 5 : 100));
    const { kind } = decideAlert(which, closed, task, open);
    if (kind !== 'keep') open = kind === 'raise';
    decisions += kind === 'keep' ? '-' : kind === 'raise' ? 'R' : 'e';
  }
  return decisions;
};

describe('an alert', () => {
  it('is raised by the first broken window and ends with the first good one, by default', () => {
    expect(play(rule(1, 1), '..xx.x.')).toBe('--R-eRe');
  });

  it('waits for k of n windows and ends after k good ones in a row', () => {
    expect(play(rule(2, 3), 'x..x.xx.x..')).toBe('-----R----e');
  });

  it('is not raised again by old windows once it ended', () => {
    expect(play(rule(2, 5), 'xx...')).toBe('-R-e-');
  });

  it('leaves windows out that hold too little to tell', () => {
    expect(play(rule(2, 2), 'x?x')).toBe('--R');
  });
});

describe('a verdict', () => {
  const performance: Rule = {
    name: 'p',
    check: 'performance',
    metric: 'r2_score',
    threshold: 0.5,
    severity: 'critical',
    fireAfter: 1,
    ofWindows: 1,
  };
  const withPerformance = (labelled: number, r2: number): WindowReport => {
    const base = report(1, 0);
    return { ...base, window: { ...base.window, labelled, performance: { r2_score: r2 } } };
  };

  it('of a metric that is better when higher is broken below its bound', () => {
    expect(judgeWindow(performance, withPerformance(50, 0.4), task)?.broken).toBe(true);
    expect(judgeWindow(performance, withPerformance(50, 0.6), task)?.broken).toBe(false);
  });

  it('of performance needs enough labels', () => {
    expect(judgeWindow(performance, withPerformance(29, 0.4), task)).toBeUndefined();
  });

  it('of errors blames the revision that makes them', () => {
    const canary = { records: 40, errors: 20, latencyP50Ms: 1, latencyP95Ms: 2 };
    const window = { ...report(1, 0, 400), revisions: { ...report(1, 0, 400).revisions, 2: canary } };
    expect(judgeWindow(rule(1, 1), window, task)).toMatchObject({ broken: true, observed: 0.5, revision: 2 });
  });

  it('of drift needs a test that could be made', () => {
    expect(judgeWindow({ ...rule(1, 1), check: 'feature_drift' }, report(1, 0), task)).toBeUndefined();
  });
});
