import { GateResult, MetricSet, Report } from '@millrace/contracts/evaluation';
import { describe, expect, test } from 'vitest';
import { digestNumber } from '../../test/fixtures.ts';
import { headlineMetrics, judgeEvidence } from './evidence.ts';

const model = digestNumber(1);
const report = (changes: Partial<Report> = {}): Report => ({
  ...Report.fromPartial({ id: 'rep_1', modelDigest: model, verdict: 'VERDICT_VALIDATED' }),
  ...changes,
});

describe('evidence', () => {
  test('is a validated report on the very model', () => {
    expect(judgeEvidence(report(), model, false)).toBe('VALIDATED');
    expect(() => judgeEvidence(report({ modelDigest: digestNumber(2) }), model, true)).toThrow(
      /is about model/,
    );
  });

  test('without gates is enough only where the recipe allows it', () => {
    const ungated = report({ verdict: 'VERDICT_UNKNOWN' });
    expect(judgeEvidence(ungated, model, true)).toBe('UNKNOWN');
    expect(() => judgeEvidence(ungated, model, false)).toThrow(/without any gate/);
  });

  test('of a failed gate is never enough, and names the gate', () => {
    const gates = [
      GateResult.fromPartial({ description: 'rmse <= 10', passed: false }),
      GateResult.fromPartial({ description: 'mae <= 9', passed: true }),
    ];
    const failed = report({ verdict: 'VERDICT_REJECTED', gates });
    for (const allowed of [true, false]) {
      expect(() => judgeEvidence(failed, model, allowed)).toThrow(/failed its evaluation: rmse <= 10$/);
    }
  });

  test('has the metrics of the whole test split as headline', () => {
    const metrics = [
      MetricSet.fromPartial({ split: 'validation', metrics: [{ name: 'rmse', value: 1 }] }),
      MetricSet.fromPartial({ split: 'test', slice: 'night', metrics: [{ name: 'rmse', value: 2 }] }),
      MetricSet.fromPartial({
        split: 'test',
        metrics: [
          { name: 'rmse', value: 3 },
          { name: 'r2', value: Number.NaN },
        ],
      }),
    ];
    expect(headlineMetrics(report({ metrics }))).toEqual({ rmse: 3 });
    expect(headlineMetrics(report({ metrics: metrics.slice(0, 1) }))).toEqual({ rmse: 1 });
    expect(headlineMetrics(report())).toEqual({});
  });
});
