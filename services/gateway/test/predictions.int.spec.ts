import { Agent, type IncomingMessage, request as nodeRequest } from 'node:http';
import { PassThrough } from 'node:stream';
import { Unavailable } from '@millrace/errors';
import { exportTo, type SpanRecord, spanProblems, startTelemetry, type Telemetry } from '@millrace/telemetry';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, Lab } from './fixture.ts';

const invocations = '/endpoints/flights/invocations';
/** Of the gateway's token in these tests. */
const token = 'a-secret-of-some-length';
const authorization = `Bearer ${token}`;

/** What the data plane is asked for. */
const seen: { readonly url: string; readonly headers: IncomingMessage['headers'] }[] = [];
let release = Promise.withResolvers<void>();

const dataPlane = (app: FastifyInstance): void => {
  app.addHook('onRequest', async ({ url, headers }) => void seen.push({ url, headers: { ...headers } }));
  app.post('/endpoints/:endpoint/invocations', async (request, reply) =>
    reply.headers({ 'millrace-revision': '3', 'x-inner': 'secret' }).send({ echo: request.body }),
  );
  app.get('/endpoints/:endpoint/slow', async () => {
    await release.promise;
    return { late: true };
  });
  app.get('/endpoints/:endpoint/stream', async (_request, reply) => {
    const parts = new PassThrough();
    parts.write('first, ');
    void release.promise.then(() => parts.end('last'));
    return reply.headers({ 'content-type': 'text/plain', 'x-inner': 'secret' }).send(parts);
  });
  app.get('/v2/models/busy', async () => {
    throw new Unavailable('no revision is ready');
  });
};

const asked = () => seen.filter(({ url }) => !url.startsWith('/health'));

let telemetry: Telemetry;
beforeAll(() => {
  telemetry = startTelemetry({ defaultService: 'test', env: {} });
});
afterAll(() => telemetry.shutdown());

describe.each([
  ['over HTTP', false],
  ['within the process', true],
])('predictions, passed on %s,', (_, oneProcess) => {
  const agent = new Agent({ keepAlive: true });
  let lab: Lab;
  const open = () => Lab.open({ MILLRACE_TOKEN: token }, Date.now, { dataPlane, oneProcess });
  beforeAll(async () => {
    lab = await open();
  });
  beforeEach(() => {
    release = Promise.withResolvers<void>();
    seen.length = 0;
  });
  afterEach(() => release.resolve());
  afterAll(async () => {
    agent.destroy();
    await lab.stop();
  });

  const invoke = (body: unknown, headers: Record<string, string> = {}) =>
    lab.call('POST', invocations, body, { authorization, ...headers });
  const ask = (path: string, url = lab.url): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      nodeRequest(`${url}${path}`, { agent, headers: { authorization } }, resolve)
        .once('error', reject)
        .end();
    });

  it('are answered with the headers that say who answered, and no others', async () => {
    const answer = await invoke({ a: [1] });
    expect(answer).toMatchObject({ status: 200, body: { echo: { a: [1] } } });
    expect(answer.headers).toMatchObject({
      'millrace-revision': '3',
      'content-type': expect.stringContaining('application/json'),
    });
    expect(answer.headers['x-inner']).toBeUndefined();
  });

  it('carry the unit, and nothing that only the gateway is to know', async () => {
    const secrets = { cookie: 'a=b', 'millrace-user': 'ada', 'x-forwarded-for': '10.0.0.1' };
    await invoke({}, { ...secrets, 'millrace-unit': 'u7' });
    const [{ headers }] = asked() as [(typeof seen)[0]];
    expect(headers).toMatchObject({ 'millrace-unit': 'u7', 'content-type': 'application/json' });
    for (const name of [...Object.keys(secrets), 'authorization']) expect(headers[name]).toBeUndefined();
  });

  it('never reach the data plane without a token', async () => {
    expect((await lab.call('POST', invocations, {})).status).toBe(401);
    expect(asked()).toEqual([]);
  });

  it.each<[string, string | Uint8Array<ArrayBuffer>, Record<string, string>]>([
    ['no JSON', '{"a":', { 'content-type': 'application/json' }],
    ['no known type', 'a', { 'content-type': 'text/unknown' }],
    ['too large', new Uint8Array(16 * 1024 ** 2 + 1), { 'content-type': 'application/json' }],
  ])('are refused as invalid when the body is %s', async (_, body, headers) => {
    const answer = await fetch(`${lab.url}${invocations}`, {
      method: 'POST',
      body,
      headers: { authorization, ...headers },
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: 'invalid' } });
    expect((await invoke({ a: 1 })).body).toEqual({ echo: { a: 1 } });
  });

  it('keep the errors of the data plane, and when to ask again', async () => {
    const headers = { authorization };
    const missing = await lab.call('GET', '/v2/models/x', undefined, headers);
    expect(missing).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    const busy = await lab.call('GET', '/v2/models/busy', undefined, headers);
    expect(busy).toMatchObject({ status: 503, body: { error: { message: 'no revision is ready' } } });
    expect(busy.headers['retry-after']).toBe('1');
  });

  it('are read as they come', async () => {
    const answer = await ask('/endpoints/flights/stream');
    expect(answer.headers['x-inner']).toBeUndefined();
    const chunks: string[] = [];
    answer.on('data', (chunk) => chunks.push(String(chunk)));
    await eventually(() => expect(chunks.join('')).toBe('first, '));
    release.resolve();
    await eventually(() => expect(chunks.join('')).toBe('first, last'));
  });

  it('are one trace through both services, which both count them', async () => {
    const counted = async (service: string, route: string) => {
      const { text } = await lab.call('GET', '/metrics', undefined, { authorization });
      const line = text
        .split('\n')
        .find(
          (each) =>
            each.startsWith('millrace_http_request_duration_seconds_count') &&
            each.includes(`service="${service}"`) &&
            each.includes(`route="${route}"`),
        );
      return Number(line?.split(' ').at(-1) ?? 0);
    };
    const counts = () =>
      Promise.all([
        counted('gateway', '/endpoints/:endpoint/*'),
        counted('deployment', '/endpoints/:endpoint/invocations'),
      ]);
    const [edge, inner] = await counts();
    const traceId = oneProcess ? '1af7651916cd43dd8448eb211c80319c' : '2af7651916cd43dd8448eb211c80319c';
    const spans: SpanRecord[] = [];
    const stop = exportTo((batch) => spans.push(...batch.filter((span) => span.traceId === traceId)));
    await invoke({ a: [1] }, { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
    await eventually(async () => {
      await telemetry.flush();
      expect(spans).toHaveLength(3);
    });
    stop();
    const of = (service: string, kind: string) =>
      spans.find((span) => span.service === service && span.kind === kind);
    const [server, client, answerer] = [
      of('gateway', 'server'),
      of('gateway', 'client'),
      of('deployment', 'server'),
    ];
    expect(server).toMatchObject({
      name: 'POST /endpoints/:endpoint/*',
      parentSpanId: 'b7ad6b7169203331',
    });
    expect(client).toMatchObject({ name: 'POST', parentSpanId: server?.spanId });
    expect(answerer).toMatchObject({
      name: 'POST /endpoints/:endpoint/invocations',
      parentSpanId: client?.spanId,
    });
    for (const span of spans) {
      expect(span.attributes['http.response.status_code']).toBe(200);
      expect(spanProblems(span)).toEqual([]);
    }
    expect(await counts()).toEqual([edge + 1, inner + 1]);
  });

  it('are given up with their clients, who make room for others', async () => {
    const other = await Lab.open({ MILLRACE_MAX_REQUESTS: '1' }, Date.now, { dataPlane, oneProcess });
    const gone = nodeRequest(`${other.url}/endpoints/flights/slow`, { agent }).on('error', () => {});
    gone.end();
    await eventually(() => expect(asked()).toHaveLength(1));
    expect((await other.call('POST', invocations, {})).status).toBe(503);
    gone.destroy();
    await eventually(async () => expect((await other.call('POST', invocations, {})).status).toBe(200));
    release.resolve();
    await other.stop();
  });

  it('are answered by a gateway that drains, which says that it was the last time', async () => {
    const other = await open();
    const slow = ask('/endpoints/flights/slow', other.url);
    await eventually(() => expect(asked()).toHaveLength(1));
    const stopped = other.stopOne('gateway', { drain: true });
    release.resolve();
    const answer = await slow;
    expect([answer.statusCode, answer.headers.connection]).toEqual([200, 'close']);
    answer.resume();
    await stopped;
    await other.stop();
  });

  it('are unavailable while the data plane is away, and come back with it', async () => {
    const other = await open();
    await other.stopOne('deployment');
    const call = () => other.call('POST', invocations, { a: 1 }, { authorization });
    expect(await call()).toMatchObject({
      status: 503,
      body: { error: { code: 'unavailable', hint: expect.stringContaining('millrace status') } },
    });
    await other.startPeer('deployment');
    expect(await call()).toMatchObject({ status: 200, body: { echo: { a: 1 } } });
    await other.stop();
  });
});
