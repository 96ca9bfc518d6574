import { context, SpanKind, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
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

/** The finished span of that name. A batch on its way when `flush` is called comes a moment later. */
const spanNamed = async (name: string): Promise<SpanRecord> => {
  await telemetry.flush();
  return vi.waitFor(
    () => {
      const found = seen.find((span) => span.name === name);
      if (found === undefined) throw new Error(`no span ${name} yet`);
      return found;
    },
    { timeout: 60_000 },
  );
};

describe('spans', () => {
  it('carry the name of the service they were made in, across awaits', async () => {
    await runAsService('ingest', async () => {
      await Promise.resolve();
      await inSpan('outer', {}, () => runAsService('registry', () => inSpan('inner', {}, async () => {})));
    });
    const outer = await spanNamed('outer');
    const inner = await spanNamed('inner');
    expect(outer.service).toBe('ingest');
    expect(inner.service).toBe('registry');
    expect(inner.parentSpanId).toBe(outer.spanId);
    expect(inner.traceId).toBe(outer.traceId);
  });

  it('say how the work failed and let the error through', async () => {
    const failing = inSpan('failing', { kind: SpanKind.CLIENT }, async () => {
      throw new Error('no such thing');
    });
    await expect(failing).rejects.toThrow('no such thing');
    expect(await spanNamed('failing')).toMatchObject({
      name: 'failing',
      kind: 'client',
      error: 'no such thing',
    });
  });

  it('cross a process boundary in headers', async () => {
    await inSpan('sender', {}, async () => {
      const headers = activeTraceHeaders();
      await context.with(trace.deleteSpan(context.active()), () =>
        inSpan('receiver', { context: contextFromHeaders(headers) }, async () => {}),
      );
    });
    expect((await spanNamed('receiver')).parentSpanId).toBe((await spanNamed('sender')).spanId);
  });

  it('can be emitted afterwards with ids and times chosen before', async () => {
    const ids = { traceId: newTraceId(), spanId: newSpanId(), parentSpanId: newSpanId() };
    const start = Date.UTC(2026, 0, 1);
    emitSpan({ ...ids, name: 'late', start, end: start + 2_500, attributes: { 'millrace.step': 'train' } });
    expect(await spanNamed('late')).toMatchObject({ ...ids, start, duration: 2_500 });
    await inSpan('next', {}, async () => {});
    expect((await spanNamed('next')).spanId).not.toBe(ids.spanId);
  });
});

describe('ids', () => {
  it('are hex digits of their length, and none comes twice', () => {
    const [traces, spans] = [newTraceId, newSpanId].map((make) => Array.from({ length: 3_000 }, make));
    for (const id of traces ?? []) expect(id).toMatch(/^[0-9a-f]{32}$/);
    for (const id of spans ?? []) expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(new Set([...(traces ?? []), ...(spans ?? [])]).size).toBe(6_000);
  });
});

describe('metrics', () => {
  it('are readable in the Prometheus text format', async () => {
    const { metrics } = await import('@opentelemetry/api');
    metrics.getMeter('test').createCounter('millrace.test.count').add(3, { kind: 'a' });
    expect(await prometheusText()).toMatch(/millrace_test_count_total\{kind="a".*\} 3/);
  });
});
