import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DocumentStore, type NewMessage, openSqliteStore } from './index.ts';

const exporter = new InMemorySpanExporter();
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
const event: NewMessage = { subject: 's', type: 't', entity: 'training.run/a', key: 'a', data: null };

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
});

afterAll(() => {
  trace.disable();
  propagation.disable();
  context.disable();
});

/** Runs `call` in a span; returns the span's id and those of the store within it. */
const inSpan = async (call: () => Promise<unknown>) => {
  const parent = await trace.getTracer('test').startActiveSpan('parent', async (span) => {
    await call();
    span.end();
    return span.spanContext();
  });
  const spans = exporter
    .getFinishedSpans()
    .filter((span) => span.parentSpanContext?.spanId === parent.spanId);
  return { parent, spans };
};

describe('a store call', () => {
  let store: DocumentStore;

  beforeEach(async () => {
    store = await openSqliteStore({ path: ':memory:', service: 'training' });
    exporter.reset();
  });
  afterEach(() => store.close());

  const runs = () => store.collection<object>({ name: 'runs' });

  it('is a client span of its caller, named by operation and collection', async () => {
    const { spans } = await inSpan(() => runs().insert('a', {}));
    expect(spans).toHaveLength(1);
    expect(spans[0]).toMatchObject({
      name: 'commit runs',
      kind: SpanKind.CLIENT,
      status: { code: SpanStatusCode.UNSET },
      attributes: {
        'db.system.name': 'sqlite',
        'db.namespace': 'training',
        'db.operation.name': 'commit',
        'db.collection.name': 'runs',
      },
    });
  });

  it('makes no span without a caller that records', async () => {
    await runs().insert('a', {});
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it('says how it failed', async () => {
    const { spans } = await inSpan(async () => {
      await expect(runs().commit({ key: 'a', expected: 5, document: {} })).rejects.toThrow();
    });
    expect(spans[0]).toMatchObject({
      attributes: { 'error.type': 'conflict' },
      status: { code: SpanStatusCode.ERROR },
    });
  });

  it('gives each message the trace of the caller that caused it, though commits share a transaction', async () => {
    const callers = await Promise.all(
      ['a', 'b', 'c'].map(async (key) => {
        const message = { ...event, key, entity: `training.run/${key}` };
        const { parent } = await inSpan(() =>
          key === 'b'
            ? runs().update(key, () => ({ document: {}, messages: [message] }))
            : runs().insert(key, {}, [message]),
        );
        return [key, parent.traceId];
      }),
    );
    const messages = await store.outbox.pending(10);
    const traces = messages.map(({ key, headers }) => [key, headers?.traceparent?.split('-')[1]]);
    expect(traces.toSorted()).toEqual(callers.toSorted());
  });

  it('leaves a trace that the message brings', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await inSpan(() => runs().insert('a', {}, [{ ...event, headers: { traceparent } }]));
    expect((await store.outbox.pending(1))[0]?.headers).toEqual({ traceparent });
  });
});
