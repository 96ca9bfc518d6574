import { createLogger, exportTo, type SpanRecord, spanProblems, startTelemetry } from '@millrace/telemetry';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type HttpServer, startHttpServer } from '../src/http-server.ts';
import { HttpPeer } from '../src/index.ts';

const spans: SpanRecord[] = [];
let telemetry: ReturnType<typeof startTelemetry>;
let server: HttpServer;
let peer: HttpPeer;

beforeAll(async () => {
  const env = { MILLRACE_TRACE_PREDICTIONS_PER_SECOND: '0' };
  telemetry = startTelemetry({ defaultService: 'caller', env });
  exportTo((batch) => spans.push(...batch));
  server = await startHttpServer({
    service: 'ingest',
    host: '127.0.0.1',
    port: 0,
    log: createLogger('silent'),
    readiness: async () => ({}),
    routes: (app) => {
      app.get('/things/:name', async () => ({}));
      app.get('/many', { config: { tracing: 'high_rate' } }, async () => ({}));
      app.get('/broken', async () => {
        throw new Error('it broke');
      });
    },
  });
  peer = new HttpPeer('ingest', { address: () => `127.0.0.1:${server.port}` }, undefined, {
    connections: 2,
    timeoutMs: 5_000,
  });
});
beforeEach(() => {
  spans.length = 0;
});
afterAll(async () => {
  await peer.close();
  await server.stop();
  await telemetry.shutdown();
});

const get = async (path: string): Promise<number> => {
  const answer = await peer.request({ method: 'GET', path });
  await answer.body.dump();
  return answer.statusCode;
};

/** The client's span, and the server's once it has ended. */
const both = () =>
  vi.waitFor(
    async () => {
      await telemetry.flush();
      const client = spans.find(({ kind }) => kind === 'client');
      const server = spans.find(({ kind }) => kind === 'server');
      if (client === undefined || server === undefined) throw new Error('they are not there yet');
      return { client, server };
    },
    { timeout: 60_000 },
  );

describe('a request over HTTP', () => {
  it('is a span of the server under that of the client, without the query', async () => {
    expect(await get('/things/a?secret=b')).toBe(200);
    const { client, server } = await both();
    expect(server).toMatchObject({
      name: 'GET /things/:name',
      service: 'ingest',
      traceId: client.traceId,
      parentSpanId: client.spanId,
      attributes: {
        'http.route': '/things/:name',
        'url.path': '/things/a',
        'http.response.status_code': 200,
      },
    });
    for (const span of [client, server]) {
      expect(spanProblems(span)).toEqual([]);
      expect(JSON.stringify(span)).not.toContain('secret');
    }
  });

  it('that is refused fails the client only', async () => {
    expect(await get('/nothing')).toBe(404);
    const { client, server } = await both();
    expect(server).toMatchObject({ name: 'GET', attributes: { 'http.response.status_code': 404 } });
    expect(server.error).toBeUndefined();
    expect(client.attributes['error.type']).toBe('404');
    for (const span of [client, server]) expect(spanProblems(span)).toEqual([]);
  });

  it('that breaks fails both', async () => {
    expect(await get('/broken')).toBe(500);
    const { client, server } = await both();
    for (const span of [client, server]) {
      expect(span.attributes['error.type']).toBe('500');
      expect(spanProblems(span)).toEqual([]);
    }
  });

  it('that nobody takes says why', async () => {
    const nobody = new HttpPeer('registry', { address: () => '127.0.0.1:1' }, undefined, {
      connections: 1,
      timeoutMs: 1_000,
    });
    await expect(nobody.request({ method: 'GET', path: '/' })).rejects.toThrow();
    await nobody.close();
    await telemetry.flush();
    const client = await vi.waitFor(() => spans.find(({ kind }) => kind === 'client') ?? Promise.reject(), {
      timeout: 60_000,
    });
    expect(client.attributes['error.type']).toBe('ECONNREFUSED');
    expect(spanProblems(client)).toEqual([]);
  });

  it('of which thousands come is recorded where the caller asks for it, and else so many times a second', async () => {
    const url = `http://127.0.0.1:${server.port}/many`;
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    expect((await fetch(url)).status).toBe(200);
    await fetch(url, { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } });
    const [span] = await vi.waitFor(
      async () => {
        await telemetry.flush();
        expect(spans).toHaveLength(1);
        return spans;
      },
      { timeout: 60_000 },
    );
    expect(span).toMatchObject({ traceId, parentSpanId: 'b7ad6b7169203331' });
  });

  it('for health or metrics makes no span', async () => {
    for (const path of ['/health/live', '/health/ready', '/metrics']) {
      expect((await fetch(`http://127.0.0.1:${server.port}${path}`)).status).toBe(200);
    }
    await telemetry.flush();
    expect(spans).toEqual([]);
  });
});
