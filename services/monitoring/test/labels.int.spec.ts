import type { Label } from '@millrace/contracts/monitoring';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { batchesOf, delayOf, makeFlights } from './flights.ts';
import { endpoint, eventually, Platform } from './platform.ts';

let platform: Platform;

beforeEach(async () => {
  platform = await Platform.start();
});
afterEach(() => platform.stop());

const flights = makeFlights(400, 21);

/** The truth of predictions `from` to `to`, all too low by `error` minutes. */
const labels = (from: number, to: number, error: number): Label[] =>
  flights.slice(from, to).map((flight, i) => ({
    predictionId: `server-1-${from + i}`,
    value: { $case: 'number', value: delayOf(flight) + error },
  }));

const rules = [
  { check: 'performance', metric: 'root_mean_squared_error', threshold: 3, severity: 'critical' },
];

describe('labels', () => {
  it('that come late revise their window with a version, and raise and resolve a performance alert', async () => {
    await platform.bind({ rules });
    await platform.publish(...batchesOf(flights, endpoint));
    expect(await platform.windows(2)).toMatchObject([{ version: 1, labelled: 0, performance: {} }, {}]);

    expect(await platform.client.submitLabels({ endpoint, labels: labels(200, 300, 4) })).toEqual({
      joined: 100,
      unknown: 0,
    });
    const revised = (await platform.client.getWindow({ id: 'flights/2' })).window;
    expect(revised).toMatchObject({ version: 2, labelled: 100 });
    expect(revised?.performance.root_mean_squared_error).toBeCloseTo(4, 9);
    expect(await platform.alerts()).toMatchObject([
      { rule: 'performance', severity: 'SEVERITY_CRITICAL', windowId: 'flights/2', threshold: 3 },
    ]);

    await platform.client.submitLabels({ endpoint, labels: labels(200, 400, 1) });
    const corrected = (await platform.client.getWindow({ id: 'flights/2' })).window;
    expect(corrected).toMatchObject({ version: 3, labelled: 200 });
    expect(corrected?.performance.root_mean_squared_error).toBeCloseTo(1, 9);
    expect(await platform.alerts()).toEqual([]);
  });

  it('that are repeated change nothing', async () => {
    await platform.bind({ rules });
    await platform.publish(...batchesOf(flights.slice(0, 200), endpoint));
    await platform.windows(1);
    await platform.client.submitLabels({ endpoint, labels: labels(0, 50, 1) });
    await platform.client.submitLabels({ endpoint, labels: labels(0, 50, 1) });
    expect(await platform.windows(1)).toMatchObject([{ version: 2, labelled: 50 }]);
  });

  it('count in a window that is still open, and before their predictions came', async () => {
    await platform.bind({ rules });
    await platform.publish(...batchesOf(flights.slice(0, 100), endpoint));
    await platform.settled();
    expect(await platform.client.submitLabels({ endpoint, labels: labels(50, 150, 2) })).toEqual({
      joined: 50,
      unknown: 50,
    });
    await platform.publish(...batchesOf(flights.slice(100, 200), endpoint, 3));
    const [window] = await platform.windows(1);
    expect(window).toMatchObject({ version: 1, labelled: 100 });
    expect(window?.performance.root_mean_squared_error).toBeCloseTo(2, 9);
  });

  it.each(['__proto__', 'constructor', '7', 'a.b$c/d'])(
    'join a prediction called %s',
    async (predictionId) => {
      await platform.bind({ rules });
      const renamed = batchesOf(flights.slice(0, 200), endpoint).map((batch) => ({
        ...batch,
        records: batch.records.map((record) =>
          record.predictionId === 'server-1-7' ? { ...record, predictionId } : record,
        ),
      }));
      await platform.publish(...renamed);
      await platform.windows(1);
      const label: Label = { predictionId, value: { $case: 'number', value: 1 } };
      expect(await platform.client.submitLabels({ endpoint, labels: [label] })).toEqual({
        joined: 1,
        unknown: 0,
      });
    },
  );

  it('survive a restart with the predictions that wait for them', async () => {
    await platform.bind({ rules });
    await platform.publish(...batchesOf(flights.slice(0, 200), endpoint));
    await platform.windows(1);
    await platform.stopMonitoring();
    await platform.startMonitoring();
    expect(await platform.client.submitLabels({ endpoint, labels: labels(0, 200, 1) })).toMatchObject({
      joined: 200,
    });
    await eventually(async () => expect(await platform.windows(1)).toMatchObject([{ labelled: 200 }]));
  });

  it('are refused whole when one is wrong', async () => {
    await platform.bind({ rules });
    const wrong: Label = { predictionId: 'server-1-0', value: { $case: 'text', value: 'late' } };
    await expect(
      platform.client.submitLabels({ endpoint, labels: [...labels(0, 1, 0), wrong] }),
    ).rejects.toMatchObject({ code: 'invalid', violations: [{ path: 'labels[1].value' }] });
    await expect(platform.client.submitLabels({ endpoint: 'other', labels: [] })).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe('predictions', () => {
  it('wait for labels up to a number, the oldest windows going first', async () => {
    await platform.stop();
    platform = await Platform.start({ MILLRACE_MONITORING_LABEL_PREDICTIONS: '200' });
    await platform.bind({ rules });
    await platform.publish(...batchesOf(flights, endpoint));
    await platform.windows(2);
    await eventually(async () => {
      const result = await platform.client.submitLabels({ endpoint, labels: labels(150, 250, 1) });
      expect(result).toEqual({ joined: 50, unknown: 50 });
    });
  });
});

describe('a classification', () => {
  it('is measured by its labels', async () => {
    await platform.bind(
      { rules: [{ check: 'performance', metric: 'accuracy_score', threshold: 0.9 }] },
      {
        recipe: { task: 'classification/binary', positiveClass: 'late', targetColumn: 'arr_delay' } as never,
      },
    );
    const batches = batchesOf(flights.slice(0, 200), endpoint).map((batch) => ({
      ...batch,
      records: batch.records.map((record, i) => ({
        ...record,
        prediction: { kind: { $case: 'text', value: i % 2 === 0 ? 'late' : 'punctual' } as const },
        probabilities: { late: i % 2 === 0 ? 0.8 : 0.1, punctual: i % 2 === 0 ? 0.2 : 0.9 },
      })),
    }));
    await platform.publish(...batches);
    await platform.windows(1);
    const truth = Array.from({ length: 100 }, (_, i) => ({
      predictionId: `server-1-${i}`,
      value: { $case: 'text', value: i % 4 === 0 ? 'late' : 'punctual' } as const,
    }));
    await platform.client.submitLabels({ endpoint, labels: truth });
    const [window] = await platform.windows(1);
    expect(window?.performance.accuracy_score).toBe(0.75);
    expect(window?.performance.roc_auc).toBeGreaterThan(0.8);
    expect(await platform.alerts()).toMatchObject([{ rule: 'performance', observed: 0.75 }]);
  });
});
