import { context, SpanKind, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  activeTraceHeaders,
  contextFromHeaders,
  emitSpan,
  exportTo,
  inSpan,
  newSpanId,
  newTraceId,
  prometheusText,
  runAsService,
  type SpanRecord,
  startTelemetry,
  type Telemetry,
} from './index.ts';

let telemetry: Telemetry;
const seen: SpanRecord[] = [];

beforeAll(() => {
  telemetry = startTelemetry({ defaultService: 'test', env: {} });
  exportTo((spans) => seen.push(...spans));
});
beforeEach(() => {
  seen.length = 0;
});
afterAll(() => telemetry.shutdown());

const spansAfter = async (work: () => Promise<unknown>): Promise<SpanRecord[]> => {
  await work();
  await telemetry.flush();
  return [...seen];
};

describe('spans', () => {
  it('carry the name of the service they were made in, across awaits', async () => {
    const spans = await spansAfter(() =>
      runAsService('ingest', async () => {
        await Promise.resolve();
        await inSpan('outer', {}, () => runAsService('registry', () => inSpan('inner', {}, async () => {})));
      }),
    );
    const outer = spans.find((span) => span.name === 'outer');
    const inner = spans.find((span) => span.name === 'inner');
    expect(outer?.service).toBe('ingest');
    expect(inner?.service).toBe('registry');
    expect(inner?.parentSpanId).toBe(outer?.spanId);
    expect(inner?.traceId).toBe(outer?.traceId);
  });

  it('say how the work failed and let the error through', async () => {
    const failing = inSpan('failing', { kind: SpanKind.CLIENT }, async () => {
      throw new Error('no such thing');
    });
    await expect(failing).rejects.toThrow('no such thing');
    const [span] = await spansAfter(async () => {});
    expect(span).toMatchObject({ name: 'failing', kind: 'client', error: 'no such thing' });
  });

  it('cross a process boundary in headers', async () => {
    const spans = await spansAfter(() =>
      inSpan('sender', {}, async () => {
        const headers = activeTraceHeaders();
        await context.with(trace.deleteSpan(context.active()), () =>
          inSpan('receiver', { context: contextFromHeaders(headers) }, async () => {}),
        );
      }),
    );
    const sender = spans.find((span) => span.name === 'sender');
    expect(spans.find((span) => span.name === 'receiver')?.parentSpanId).toBe(sender?.spanId);
  });

  it('can be emitted afterwards with ids and times chosen before', async () => {
    const ids = { traceId: newTraceId(), spanId: newSpanId(), parentSpanId: newSpanId() };
    const [span] = await spansAfter(async () =>
      emitSpan({ ...ids, name: 'late', start: 1_000, end: 3_500, attributes: { 'millrace.step': 'train' } }),
    );
    expect(span).toMatchObject({ ...ids, name: 'late', start: 1_000, duration: 2_500 });
    const [next] = await spansAfter(async () => {
      seen.length = 0;
      await inSpan('next', {}, async () => {});
    });
    expect(next?.spanId).not.toBe(ids.spanId);
  });
});

describe('metrics', () => {
  it('are readable in the Prometheus text format', async () => {
    const { metrics } = await import('@opentelemetry/api');
    metrics.getMeter('test').createCounter('millrace.test.count').add(3, { kind: 'a' });
    expect(await prometheusText()).toMatch(/millrace_test_count_total\{kind="a".*\} 3/);
  });
});
