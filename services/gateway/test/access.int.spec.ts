import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ErrorCode } from '@millrace/errors';
import { apiPrefix } from '@millrace/rest';
import { openSqliteStore } from '@millrace/store';
import { encodeSpanBatch, type SpanRecord } from '@millrace/telemetry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spanBatchIndexes, TraceStore } from '../src/application/trace-store.ts';
import { gateway } from '../src/service.ts';
import { Lab } from './fixture.ts';

const token = 'a-secret-of-many-letters';
let lab: Lab;
afterAll(() => lab.stop());

describe('an open gateway', () => {
  beforeAll(async () => {
    lab = await Lab.open();
  });

  it('answers this machine, by whatever name it calls itself', async () => {
    const port = new URL(lab.url).port;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'localhost', `[::1]:${port}`]) {
      expect((await lab.call('GET', `${apiPrefix}/models`, undefined, { host })).status).toBe(200);
    }
    const origin = lab.url;
    expect((await lab.call('POST', `${apiPrefix}/runs:plan`, {}, { origin })).status).toBe(200);
  });

  it.each<[string, Record<string, string>]>([
    ['a page of another site', { origin: 'https://evil.example' }],
    ['a page without a site', { origin: 'null' }],
    [
      'a name that was made to resolve to this machine',
      { host: 'evil.example:7700', origin: 'http://evil.example:7700' },
    ],
    ['such a name without an origin', { host: 'evil.example' }],
  ])('refuses %s', async (_, headers) => {
    for (const path of [`${apiPrefix}/models`, '/metrics', '/v2/models/x', '/nothing']) {
      const { status, body } = await lab.call('GET', path, undefined, headers);
      expect([status, body.error.code]).toEqual([403, ErrorCode.denied]);
    }
    expect(lab.asked.filter(({ rpc }) => rpc === 'registry.listModels').length).toBeLessThanOrEqual(4);
  });

  it('does not begin to listen beyond this machine', async () => {
    await expect(lab.start(gateway, { MILLRACE_HOST: '0.0.0.0' })).rejects.toMatchObject({
      code: ErrorCode.failedPrecondition,
      hint: expect.stringContaining('MILLRACE_TOKEN'),
    });
  });

  it('refuses a token that is too short to be a secret', async () => {
    await expect(lab.start(gateway, { MILLRACE_TOKEN: 'short' })).rejects.toMatchObject({
      code: ErrorCode.invalid,
      message: expect.stringContaining('MILLRACE_TOKEN'),
    });
  });
});

describe('a gateway with a token', () => {
  let guarded: Lab;
  beforeAll(async () => {
    guarded = await Lab.open({ MILLRACE_TOKEN: token, MILLRACE_HOST: '0.0.0.0' });
  });
  afterAll(() => guarded.stop());
  const authorization = `Bearer ${token}`;

  it('wants it everywhere but for the health checks', async () => {
    for (const path of [
      `${apiPrefix}/models`,
      `${apiPrefix}/events`,
      `${apiPrefix}/openapi.json`,
      '/metrics',
      '/v2',
      '/nothing',
    ]) {
      expect((await guarded.call('GET', path)).status).toBe(401);
    }
    expect((await guarded.call('GET', '/health/live')).status).toBe(200);
    expect((await guarded.call('GET', `${apiPrefix}/models`, undefined, { authorization })).status).toBe(200);
  });

  it.each(['', 'Bearer', `Bearer ${token}x`, `bearer ${token}`, token, `Bearer ${'x'.repeat(token.length)}`])(
    'refuses "%s"',
    async (wrong) => {
      const { status, body } = await guarded.call('GET', `${apiPrefix}/models`, undefined, {
        authorization: wrong,
      });
      expect([status, body.error.code]).toEqual([401, ErrorCode.unauthenticated]);
    },
  );

  it('answers under any name, but no page of another site', async () => {
    const host = 'millrace.example.org';
    expect(
      (await guarded.call('GET', `${apiPrefix}/models`, undefined, { authorization, host })).status,
    ).toBe(200);
    const origin = 'https://evil.example';
    expect(
      (await guarded.call('GET', `${apiPrefix}/models`, undefined, { authorization, host, origin })).status,
    ).toBe(403);
  });
});

describe('the trace store', () => {
  it('keeps a batch once, finds its traces, and forgets the old', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-traces-'));
    const store = await openSqliteStore({ path: join(directory, 'store.sqlite'), service: 'gateway' });
    const traces = new TraceStore(store);
    const span = (traceId: string, spanId: string): SpanRecord => ({
      traceId,
      spanId,
      name: 'n',
      kind: 'internal',
      service: 's',
      start: Number(spanId),
      duration: 1,
      attributes: {},
      links: [],
    });
    const batch = (...spans: readonly SpanRecord[]) => encodeSpanBatch(spans);
    await traces.add('one', batch(span('a', '2'), span('b', '1')), 1_000);
    await traces.add('one', batch(span('a', '9')), 1_500);
    await traces.add('two', batch(span('a', '1')), 2_000);
    // As earlier code stored them.
    const early = { traceIds: { a: 1 }, receivedAt: 1_000, spans: [span('a', '3')] };
    await store.collection({ name: 'span_batches', indexes: spanBatchIndexes }).insert('early', early);
    expect((await traces.get('a')).map(({ spanId }) => spanId)).toEqual(['1', '2', '3']);
    await expect(traces.add('bad', Buffer.from('no spans'), 1_000)).rejects.toThrow('incorrect header check');
    await traces.prune(1_600);
    expect((await traces.get('a')).map(({ spanId }) => spanId)).toEqual(['1']);
    expect(await traces.get('b')).toEqual([]);
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });
});
