import { randomUUID } from 'node:crypto';
import { type TestBroker, testBroker } from '@millrace/broker';
import {
  exportTo,
  runAsService,
  type SpanRecord,
  spanProblems,
  startTelemetry,
  type Telemetry,
} from '@millrace/telemetry';
import { context, TraceFlags, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Bus, consumeEvents, consumeRecords, startRelay, subscription, work } from '../src/index.ts';
import { changed, payloadCodec, testBus, testStore, until } from './fixture.ts';

const spans: SpanRecord[] = [];
let telemetry: Telemetry;
let broker: TestBroker;
let bus: Bus;

beforeAll(async () => {
  telemetry = startTelemetry({ defaultService: 'nobody', env: {} });
  exportTo((batch) => spans.push(...batch));
  broker = await testBroker();
  bus = await runAsService('testing', () => testBus(broker.url));
});
afterAll(async () => {
  await bus.drain();
  await broker.stop();
  await telemetry.shutdown();
});

const spanNamed = async (name: string): Promise<SpanRecord> => {
  await telemetry.flush();
  const span = spans.find((each) => each.name === name);
  if (span === undefined) throw new Error(`no span ${name} among ${spans.map((each) => each.name).join()}`);
  return span;
};

it('follows a change through its event into the handler and the command that it causes', async () => {
  const { store, change, close } = await testStore();
  const name = `traced-${randomUUID()}`;
  const step = 'millrace.step.traced.train';
  const commands = store.collection<{ readonly sent: boolean }>({ name: 'commands' });
  const inWorker = Promise.withResolvers<string | undefined>();

  startRelay({ bus, outbox: store.outbox });
  consumeEvents(bus, {
    name,
    inbox: store.inbox,
    subscriptions: [
      subscription(changed, async (event, { handled }) => {
        await commands.commit({
          key: event.key,
          expected: 0,
          document: { sent: true },
          messages: [{ subject: step, type: 'train', key: event.key, data: { value: 1 } }],
          handled,
        });
        return { kind: 'done' };
      }),
    ],
  });
  work(bus, {
    name: `${name}-worker`,
    subject: step,
    codec: payloadCodec,
    concurrency: 1,
    handle: async () => {
      inWorker.resolve(trace.getActiveSpan()?.spanContext().traceId);
      return { kind: 'reject', reason: 'to see how it is recorded' };
    },
  });

  const root = trace.getTracer('test').startSpan('root');
  const { traceId } = root.spanContext();
  await context.with(trace.setSpan(context.active(), root), () => change('a', { value: 1 }));
  root.end();

  expect(await inWorker.promise).toBe(traceId);
  await until(async () => void (await spanNamed(`process ${step}`)));
  const published = await spanNamed(`publish ${changed.subject}`);
  const processed = await spanNamed(`process ${changed.subject}`);
  const worked = await spanNamed(`process ${step}`);
  for (const span of [published, processed, worked]) {
    expect(span).toMatchObject({ traceId, service: 'testing' });
  }
  expect(published.kind).toBe('producer');
  expect(processed).toMatchObject({
    kind: 'consumer',
    parentSpanId: published.spanId,
    links: [{ traceId, spanId: published.spanId }],
    attributes: {
      'messaging.system.name': 'nats',
      'server.address': '127.0.0.1',
      'messaging.destination.name': changed.subject,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.consumer.group.name': name,
      'millrace.message.type': changed.type,
    },
  });
  expect(processed.error).toBeUndefined();
  expect(worked.error).toBe('to see how it is recorded');
  expect(published.attributes['messaging.operation.type']).toBe('send');
  expect(worked.attributes['error.type']).toBe('reject');
  for (const span of [published, processed, worked]) expect(spanProblems(span)).toEqual([]);
  await close();
});

it('publishes a batch in the trace of its first recorded cause, linked to each of them', async () => {
  const tracer = trace.getTracer('test');
  const causes = ['one', 'two'].map((name) => {
    const span = tracer.startSpan(name, { root: true });
    span.end();
    return span.spanContext();
  });
  const subject = 'millrace.inference.batched';
  const notRecorded = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: TraceFlags.NONE };
  const batch = { size: 3, causes: [notRecorded, ...causes] };
  await bus.publishInference(subject, Buffer.from('abc'), { batch });
  const published = await spanNamed(`publish ${subject}`);
  expect(published).toMatchObject({
    traceId: causes[0]?.traceId,
    parentSpanId: causes[0]?.spanId,
    links: causes.map(({ traceId, spanId }) => ({ traceId, spanId })),
    attributes: { 'messaging.batch.message_count': 3 },
  });
  expect(spanProblems(published)).toEqual([]);
});

it('records nothing of a batch none of whose causes is recorded', async () => {
  const subject = 'millrace.inference.unrecorded';
  const cause = { traceId: '3'.repeat(32), spanId: '4'.repeat(16), traceFlags: TraceFlags.NONE };
  await bus.publishInference(subject, Buffer.from('abc'), { batch: { size: 1, causes: [cause] } });
  await telemetry.flush();
  expect(spans.map(({ name }) => name)).not.toContain(`publish ${subject}`);
});

it('makes no spans about the handling of spans, which would never end', async () => {
  const handled = Promise.withResolvers<void>();
  const recording = Promise.withResolvers<boolean>();
  const consumer = consumeRecords(bus, {
    name: `spans-${randomUUID()}`,
    stream: 'SPANS',
    handle: async () => {
      recording.resolve(trace.getActiveSpan()?.isRecording() === true);
      handled.resolve();
      return { kind: 'done' };
    },
  });
  await bus.publishSpans(Buffer.from('[]'));
  await handled.promise;
  expect(await recording.promise).toBe(false);
  await consumer.stop();
  await telemetry.flush();
  expect(spans.filter(({ name }) => name.includes('millrace.spans'))).toEqual([]);
});
