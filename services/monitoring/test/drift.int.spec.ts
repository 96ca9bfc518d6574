import { listDeadLetters } from '@millrace/bus';
import { deploymentEvents, Endpoint, Revision } from '@millrace/contracts/deployment';
import { monitoringEvents } from '@millrace/contracts/monitoring';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { batchesOf, makeFlights, recordOf } from './flights.ts';
import { endpoint, eventually, Platform } from './platform.ts';

let platform: Platform;

beforeEach(async () => {
  platform = await Platform.start();
});
afterEach(() => platform.stop());

const clean = (count: number, seed: number, from = 1) => batchesOf(makeFlights(count, seed), endpoint, from);
const later = (count: number, seed: number, from = 1) =>
  batchesOf(makeFlights(count, seed, 6), endpoint, from);

describe('the step', () => {
  it('has the endpoint watched against the profile, and leaves it so when repeated', async () => {
    const { success } = await platform.bind();
    expect(success?.outputs).toMatchObject([
      { name: 'monitor', kind: 'monitor', id: endpoint, attributes: { features: '4', revision: '2' } },
      { name: 'card', kind: 'card', mediaType: 'text/html' },
    ]);
    const before = (await platform.client.getMonitor({ endpoint })).monitor;
    await platform.bind();
    const after = (await platform.client.getMonitor({ endpoint })).monitor;
    expect({ ...after, updatedAt: '' }).toEqual({ ...before, updatedAt: '' });
    expect(after).toMatchObject({ model: 'flights', modelVersion: 3, revision: 2, windowRecords: 200 });
    expect((await platform.client.listMonitors({ page: undefined })).monitors.length).toBe(1);
  });

  it.each([
    [{ drift: { features: ['speed'] } }, 'steps.monitor.drift.features'],
    [{ rules: [{ check: 'error_rate' }] }, 'steps.monitor.rules.0.threshold'],
    [{ rules: [{ check: 'performance', metric: 'f1_score', threshold: 1 }] }, 'steps.monitor.rules.0.metric'],
    [{ endpoint: 'other' }, 'steps.monitor.endpoint'],
  ])('refuses %j, naming the key', async (config, path) => {
    const { failure } = await platform.bind(config);
    expect(failure?.error).toMatchObject({ code: 'invalid', retryable: false });
    expect(failure?.error?.violations[0]?.path).toBe(path);
    await expect(platform.client.getMonitor({ endpoint })).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('windows', () => {
  it('of clean data raise nothing', async () => {
    await platform.bind();
    await platform.publish(...clean(1000, 2));
    const windows = await platform.windows(5);
    expect(windows.map(({ drifted }) => drifted)).toEqual([false, false, false, false, false]);
    expect(windows.map(({ qualityFindings }) => qualityFindings)).toEqual([[], [], [], [], []]);
    expect(windows[0]).toMatchObject({
      id: 'flights/1',
      records: 200,
      errors: 0,
      recordsByRevision: { 2: 200 },
    });
    expect(windows[0]?.latencyP95Ms).toBeCloseTo(4, 1);
    expect(windows[0]?.drift.map(({ feature }) => feature)).toEqual(['distance', 'hour', 'carrier']);
    // The first window without drift became the baseline of the predictions.
    expect(windows[1]?.drift.map(({ feature }) => feature)).toContain('(prediction)');
    expect(await platform.alerts(false)).toEqual([]);
  });

  it('of shifted data raise an alert that names the feature, which resolves when the data returns', async () => {
    await platform.bind({ rules: [{ check: 'feature_drift', severity: 'critical' }] });
    await platform.publish(...clean(200, 3), ...later(200, 4, 5));
    await platform.windows(2);
    const [alert] = await eventually(async () => {
      const alerts = await platform.alerts();
      expect(alerts.length).toBe(1);
      return alerts;
    });
    expect(alert).toMatchObject({
      rule: 'feature_drift',
      severity: 'SEVERITY_CRITICAL',
      state: 'ALERT_STATE_RAISED',
      windowId: 'flights/2',
      model: 'flights',
      modelVersion: 3,
      revision: 2,
      project: 'flights-project',
    });
    expect(alert?.evidence).toMatchObject([
      { feature: 'hour', test: 'kolmogorov_smirnov', drifted: true, windowCount: 200, baselineCount: 2000 },
    ]);
    expect(alert?.evidence[0]?.statistic).toBeGreaterThan(alert?.evidence[0]?.threshold ?? 1);
    await platform.publish(...clean(200, 5, 9));
    const resolved = await eventually(async () => {
      expect(await platform.alerts()).toEqual([]);
      return platform.alerts(false);
    });
    expect(resolved).toMatchObject([{ id: alert?.id, state: 'ALERT_STATE_RESOLVED' }]);
    const raised = await platform.events(monitoringEvents.alertRaised, 1);
    const ended = await platform.events(monitoringEvents.alertResolved, 1);
    expect(raised[0]?.entity).toBe(ended[0]?.entity);
    expect([raised[0]?.sequence, ended[0]?.sequence]).toEqual([1, 2]);
    expect((await platform.events(monitoringEvents.driftDetected, 1))[0]?.key).toBe('flights/2');
  });

  it('are the same whether batches come once and in order, or repeated and reordered', async () => {
    await platform.bind();
    const batches = [...clean(400, 6), ...later(200, 7, 9)];
    await platform.publish(...batches);
    const expected = await platform.windows(3);
    await platform.stop();
    platform = await Platform.start();
    await platform.bind();
    const mixed = batches.flatMap((batch, i) => (i % 2 === 0 ? [batches[i + 1] ?? batch, batch] : [batch]));
    expect(mixed.length).toBeGreaterThan(batches.length);
    await platform.publish(...mixed);
    expect(await platform.windows(3)).toEqual(expected);
    await platform.settled();
    expect((await platform.windows(3)).reduce((sum, { records }) => sum + records, 0)).toBe(600);
  });

  it('are the same when the service is killed in the middle of them', async () => {
    await platform.bind();
    const batches = [...clean(600, 8), ...later(400, 7, 13)];
    await platform.publish(...batches);
    const expected = await platform.windows(5);
    await platform.stop();
    platform = await Platform.start();
    await platform.bind();
    await platform.stopMonitoring();
    for (let sent = 0; sent < batches.length; sent += 5) {
      await platform.startMonitoringProcess();
      await platform.publish(...batches.slice(sent, sent + 5));
      if (sent % 10 === 0) await platform.settled();
      await platform.killMonitoring();
    }
    await platform.startMonitoring();
    expect(await platform.windows(5)).toEqual(expected);
    await platform.events(monitoringEvents.driftDetected, 2);
    expect(await platform.eventCount(monitoringEvents.driftDetected)).toBe(2);
  });

  it('close by age when no more records come', async () => {
    await platform.bind({ window: { records: 1000, max_age: '300ms' } });
    const [batch] = clean(50, 9);
    if (batch === undefined) throw new Error('no batch');
    const time = new Date().toISOString();
    await platform.publish({ ...batch, records: batch.records.map((record) => ({ ...record, time })) });
    expect(await platform.windows(1)).toMatchObject([{ records: 50 }]);
  });

  it('show wrong types, unseen categories, missing values and errors', async () => {
    await platform.bind({
      rules: [
        { check: 'data_quality' },
        { check: 'missing_rate', threshold: 0.2 },
        { check: 'error_rate', threshold: 0.05, severity: 'critical' },
      ],
    });
    const flights = makeFlights(200, 10);
    const records = flights.map((flight, i) => {
      const record = recordOf(flight, `p-${i}`, i);
      if (i < 20) return { ...record, error: 'invalid', prediction: undefined };
      if (i < 80) return { ...record, features: { ...record.features, hour: { kind: undefined } } };
      if (i < 83) {
        return {
          ...record,
          features: { ...record.features, distance: { kind: { $case: 'text', value: 'far' } as const } },
        };
      }
      if (i < 90) {
        return {
          ...record,
          features: { ...record.features, carrier: { kind: { $case: 'text', value: 'ZZ' } as const } },
        };
      }
      return record;
    });
    await platform.publish({ endpoint, source: 's', sequence: 1, records, droppedBefore: 0 });
    const [window] = await platform.windows(1);
    expect(window?.errors).toBe(20);
    expect(window?.qualityFindings).toEqual([
      'distance: 3 values of the wrong type (number expected)',
      'carrier: 7 values (3.9 %) not among the known ones: "ZZ"',
    ]);
    expect(window?.drift.find(({ test }) => test === 'missing_rate')).toMatchObject({
      feature: 'hour',
      drifted: true,
    });
    const alerts = await eventually(async () => {
      const open = await platform.alerts();
      expect(open.length).toBe(3);
      return open;
    });
    expect(alerts.map(({ rule, observed }) => [rule, observed]).sort()).toEqual([
      ['data_quality', 2],
      ['error_rate', 0.1],
      ['missing_rate', 60 / 180],
    ]);
  });
});

describe('a message that is no batch', () => {
  it('goes to the dead letters, and the rest flows on', async () => {
    await platform.bind();
    await platform.publishBytes(new Uint8Array([255, 255, 255]));
    const [first] = clean(50, 11);
    if (first === undefined) throw new Error('no batch');
    await platform.publish({ ...first, source: '' });
    await platform.publish(...clean(200, 11));
    await platform.windows(1);
    const letters = await eventually(async () => {
      const found = await listDeadLetters(platform.bus, { consumer: 'monitoring-inference' });
      expect(found.length).toBe(2);
      return found;
    });
    expect(letters[1]?.reason).toContain('source');
  });
});

describe('drift', () => {
  it('asks for retraining once per cool-down, also across a restart', async () => {
    await platform.bind({ on_drift: 'retrain', cool_down: '7d' });
    await platform.publish(...later(200, 12));
    await platform.windows(1);
    const [request] = await platform.events(monitoringEvents.retrainingRequested, 1);
    expect(request?.data).toMatchObject({ project: 'flights-project', endpoint, windowId: 'flights/1' });
    await platform.stopMonitoring();
    await platform.startMonitoring();
    await platform.publish(...later(200, 13, 5));
    await platform.windows(2);
    await platform.events(monitoringEvents.driftDetected, 2);
    expect(await platform.eventCount(monitoringEvents.retrainingRequested)).toBe(1);
    const { reactions } = await platform.client.listReactions({});
    expect(reactions.find(({ name }) => name === 'drift-requests-retraining')).toMatchObject({
      fired: 1,
      enabled: true,
    });
  });

  it('asks for nothing when the reaction is off, and raises nothing while the monitor is muted', async () => {
    await platform.bind({ on_drift: 'retrain' });
    await platform.client.setReaction({
      name: 'drift-requests-retraining',
      enabled: false,
      actor: undefined,
    });
    const until = new Date(Date.now() + 3_600_000).toISOString();
    await platform.client.muteMonitor({ endpoint, until, actor: undefined });
    await platform.publish(...later(200, 14));
    await platform.windows(1);
    await platform.client.muteMonitor({ endpoint, until: new Date(0).toISOString(), actor: undefined });
    await platform.publish(...later(200, 15, 5));
    await platform.windows(2);
    const alerts = await eventually(async () => {
      const open = await platform.alerts();
      expect(open.length).toBeGreaterThan(0);
      return open;
    });
    expect(new Set(alerts.map(({ windowId }) => windowId))).toEqual(new Set(['flights/2']));
    expect(await platform.eventCount(monitoringEvents.retrainingRequested)).toBe(0);
    expect(await platform.eventCount(monitoringEvents.reactionSwitched)).toBe(1);
    expect(await platform.eventCount(monitoringEvents.monitorMuted)).toBe(2);
    await expect(
      platform.client.setReaction({ name: 'none', enabled: true, actor: undefined }),
    ).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is acknowledged without being resolved', async () => {
    await platform.bind();
    await platform.publish(...later(200, 16));
    const [alert] = await eventually(async () => {
      const open = await platform.alerts();
      expect(open.length).toBeGreaterThan(0);
      return open;
    });
    const acknowledged = await platform.client.acknowledgeAlert({
      id: alert?.id ?? '',
      actor: { name: 'user:ada', reason: 'seen' },
    });
    expect(acknowledged.alert?.state).toBe('ALERT_STATE_ACKNOWLEDGED');
    expect((await platform.alerts()).map(({ id }) => id)).toContain(alert?.id);
    const [event] = await platform.events(monitoringEvents.alertAcknowledged, 1);
    expect(event).toMatchObject({ key: alert?.id, data: { actor: { name: 'user:ada' } } });
  });
});

describe('a rollback of the endpoint', () => {
  it('brings back the baseline of the revision that serves again', async () => {
    await platform.bind();
    const inputs = [
      {
        kind: 'profile',
        id: 'flights@2',
        digest: (await platform.client.getMonitor({ endpoint })).monitor?.profileDigest,
      },
      { kind: 'endpoint_revision', id: `${endpoint}/3` },
    ];
    await platform.bind({}, { inputs: inputs as never });
    expect((await platform.client.getMonitor({ endpoint })).monitor?.revision).toBe(3);
    await platform.publishEvent(deploymentEvents.deploymentRolledBack, endpoint, {
      endpoint: Endpoint.fromPartial({ name: endpoint }),
      revision: Revision.fromPartial({ number: 3 }),
      restored: Revision.fromPartial({ number: 2 }),
      actor: undefined,
      alertId: '',
    });
    await eventually(async () => {
      const { monitor } = await platform.client.getMonitor({ endpoint });
      expect(monitor).toMatchObject({ revision: 2, datasetVersionId: 'flights@1' });
    });
  });
});
