import { type TestBroker, testBroker } from '@millrace/broker';
import { type Bus, connectBus, consumeRecords } from '@millrace/bus';
import { InferenceBatch, InferenceRecord } from '@millrace/contracts/deployment';
import { createLogger } from '@millrace/telemetry';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defaultInferenceLogLimits, InferenceLog } from '../src/application/inference-log.ts';
import { eventually } from './lab.ts';

let broker: TestBroker;
let bus: Bus;
const batches: InferenceBatch[] = [];
beforeAll(async () => {
  broker = await testBroker();
  bus = await connectBus({ url: broker.url, service: 'deployment' });
  consumeRecords(bus, {
    name: 'spec',
    stream: 'INFERENCE',
    concurrency: 1,
    handle: async ({ data }) => {
      batches.push(InferenceBatch.decode(data));
      return { kind: 'done' };
    },
  });
});
afterAll(async () => {
  await bus.drain();
  await broker.stop();
});
beforeEach(() => {
  batches.length = 0;
});

let sources = 0;
const openLog = (limits: Partial<typeof defaultInferenceLogLimits> = {}) => {
  sources += 1;
  return new InferenceLog(bus, createLogger('silent'), `source-${sources}`, {
    ...defaultInferenceLogLimits,
    batchAgeMs: 10,
    ...limits,
  });
};
const records = (count: number, traceId = '') =>
  Array.from({ length: count }, (_, i) => InferenceRecord.fromPartial({ predictionId: `p${i}`, traceId }));
const sizes = (endpoint: string) =>
  batches.filter((batch) => batch.endpoint === endpoint).map((batch) => batch.records.length);

describe('the inference log', () => {
  it('sends batches that count per endpoint without gaps', async () => {
    const log = openLog({ batchRecords: 10 });
    log.add('a', records(25));
    log.add('b.c', records(3));
    await log.close();
    await eventually(() => expect(sizes('a')).toEqual([10, 10, 5]));
    expect(sizes('b.c')).toEqual([3]);
    expect(batches.filter(({ endpoint }) => endpoint === 'a').map(({ sequence }) => sequence)).toEqual([
      1, 2, 3,
    ]);
  });

  it('lets what comes while a batch is on its way wait for more, or for its time', async () => {
    const log = openLog({ batchRecords: 10, batchAgeMs: 60_000 });
    log.add('busy', records(10));
    log.add('busy', records(3));
    await eventually(() => expect(sizes('busy')).toEqual([10]));
    log.add('busy', records(7));
    await eventually(() => expect(sizes('busy')).toEqual([10, 10]));
    await log.close();

    const hasty = openLog({ batchRecords: 10, batchAgeMs: 10 });
    hasty.add('hasty', records(10));
    hasty.add('hasty', records(3));
    await eventually(() => expect(sizes('hasty')).toEqual([10, 3]));
    await hasty.close();
  });

  it('makes smaller batches of large records, and drops and counts what is too large by itself', async () => {
    const log = openLog({ batchBytes: 1000 });
    log.add('large', [...records(4, 'x'.repeat(400)), ...records(1, 'x'.repeat(2000)), ...records(1)]);
    await log.close();
    await eventually(() => expect(sizes('large').reduce((sum, size) => sum + size, 0)).toBe(5));
    expect(batches.map(({ droppedBefore }) => droppedBefore).reduce((sum, count) => sum + count, 0)).toBe(1);
  });

  it('holds a bounded number while the broker is away, and then says how many were dropped', async () => {
    const log = openLog({ maxBuffered: 30, batchRecords: 10 });
    await broker.kill();
    for (let i = 0; i < 5; i += 1) log.add('away', records(10));
    await broker.start();
    await eventually(() => expect(sizes('away').reduce((sum, size) => sum + size, 0)).toBe(30));
    log.add('away', records(1));
    await log.close();
    await eventually(() =>
      expect(batches.reduce((sum, { droppedBefore }) => sum + droppedBefore, 0)).toBe(20),
    );
  });

  it('does not keep a stopping service waiting for a broker that is away', async () => {
    const log = openLog();
    await broker.kill();
    log.add('lost', records(1));
    await log.close();
    await broker.start();
  });
});
