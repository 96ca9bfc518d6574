import { describe, expect, it } from 'vitest';
import { readMonitorSettings } from './monitor-settings.ts';

describe('the monitor section', () => {
  it('has defaults for everything but the endpoint', () => {
    expect(readMonitorSettings({ endpoint: 'flights', window: null, rules: [] })).toEqual({
      endpoint: 'flights',
      settings: {
        windowRecords: 500,
        windowMaxAgeMs: 3_600_000,
        drift: { falseAlarmRate: 0.01, minEffect: 0.1, features: [], tests: [] },
        rules: expect.arrayContaining([expect.objectContaining({ check: 'feature_drift' })]),
        retrainOnDrift: false,
        retrainCoolDownMs: 86_400_000,
        rollbackOnAlert: true,
      },
    });
  });

  it('names rules by their check and reads durations', () => {
    const { settings } = readMonitorSettings({
      endpoint: 'flights',
      window: { records: 100, max_age: '15m' },
      rules: [{ check: 'latency_p95_ms', threshold: 50, fire_after: 2, of_windows: 3 }],
      on_drift: 'retrain',
      cool_down: 90,
    });
    expect(settings).toMatchObject({
      windowMaxAgeMs: 900_000,
      retrainOnDrift: true,
      retrainCoolDownMs: 90_000,
    });
    expect(settings.rules).toEqual([
      {
        name: 'latency_p95_ms',
        check: 'latency_p95_ms',
        threshold: 50,
        severity: 'warning',
        fireAfter: 2,
        ofWindows: 3,
      },
    ]);
  });

  it.each([
    [{ window: { max_age: 'soon' } }, 'steps.monitor.window.max_age'],
    [{ rules: [{ check: 'speed' }] }, 'steps.monitor.rules.0.check'],
    [{ rules: [{ check: 'feature_drift', fire_after: 2 }] }, 'steps.monitor.rules.0.fire_after'],
    [{ rules: [{ check: 'data_quality' }, { check: 'data_quality' }] }, 'steps.monitor.rules'],
    [{ drift: { false_alarm_rate: 1 } }, 'steps.monitor.drift.false_alarm_rate'],
  ])('refuses %j, naming the key', (config, path) => {
    expect(() => readMonitorSettings({ endpoint: 'flights', ...config })).toThrow(
      expect.objectContaining({ code: 'invalid', violations: [expect.objectContaining({ path })] }),
    );
  });
});
