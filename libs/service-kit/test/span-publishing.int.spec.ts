import { type TestBroker, testBroker } from '@millrace/broker';
import { type Bus, connectBus, consumeRecords, type Running } from '@millrace/bus';
import { decodeSpanBatch, inSpan, runAsService, startTelemetry, type Telemetry } from '@millrace/telemetry';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ServiceModule, ServiceName } from '../src/index.ts';
import { eventually, type Host, openHost } from './fixture.ts';

let telemetry: Telemetry;
let broker: TestBroker;
let host: Host;
let bus: Bus;
let consumer: Running;
/** Spans of this test in each message of the stream, by name. */
const messages: { readonly subject: string; readonly spans: readonly string[] }[] = [];

beforeAll(async () => {
  telemetry = startTelemetry({ defaultService: 'test', env: {} });
  broker = await testBroker();
  host = await openHost(broker.url);
  bus = await connectBus({ url: broker.url, service: 'test-spans' });
  consumer = consumeRecords(bus, {
    name: 'test-spans',
    stream: 'SPANS',
    handle: async ({ subject, data }) => {
      const spans = decodeSpanBatch(data)
        .map(({ name }) => name)
        .filter((name) => name.startsWith('work '));
      if (spans.length > 0) messages.push({ subject, spans: spans.sort() });
      return { kind: 'done' };
    },
  });
});

afterAll(async () => {
  await consumer.stop();
  await bus.drain();
  await host.stop();
  await broker.stop();
  await telemetry.shutdown();
});

const idle = (name: ServiceName): ServiceModule => ({ name, setup: async () => ({}) });

const workIn = (service: string): Promise<void> =>
  runAsService(service, () => inSpan(`work in ${service}`, {}, async () => {}));

it('sends the spans of a process in one message, and of nobody else; who remains goes on', async () => {
  const ingest = await host.start(idle('ingest'));
  await host.start(idle('training'));
  for (const service of ['ingest', 'training', 'stranger']) await workIn(service);
  await telemetry.flush();
  await eventually(() =>
    expect(messages).toEqual([
      { subject: 'millrace.spans.ingest', spans: ['work in ingest', 'work in training'] },
    ]),
  );

  await ingest.stop();
  await workIn('training');
  await telemetry.flush();
  await eventually(() =>
    expect(messages.slice(1)).toEqual([{ subject: 'millrace.spans.training', spans: ['work in training'] }]),
  );
});
