import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IngestFixture, outputOf, startIngest } from './ingest-fixture.ts';

let ingest: IngestFixture;
let server: Server;
let base: string;

const answers: Record<string, (response: ServerResponse, authorization: string | undefined) => void> = {
  '/data.csv': (response) => response.setHeader('etag', '"v1"').end('id,y\n1,2\n2,3\n'),
  '/moved': (response) => response.writeHead(302, { location: '/data.csv' }).end(),
  '/loop': (response) => response.writeHead(302, { location: '/loop' }).end(),
  '/to-file': (response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  '/private': (response, authorization) => {
    const expected = `Basic ${Buffer.from('ada:secret').toString('base64')}`;
    response.writeHead(authorization === expected ? 200 : 401).end('id,y\n1,2\n2,3\n');
  },
  '/large': (response) => response.end(`id,y\n${'1,2\n'.repeat(1000)}`),
  '/declared-large': (response) => response.writeHead(200, { 'content-length': 1e9 }).write('id,y\n'),
  '/hanging': (response) => response.write('id,y\n'),
  '/failing': (response) => response.writeHead(503).end(),
  '/broken': (response) => {
    response.writeHead(200, { 'content-length': 100 }).write('id,y\n');
    setImmediate(() => response.destroy());
  },
};

beforeAll(async () => {
  server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const answer = answers[path];
    if (answer === undefined) response.writeHead(404).end();
    else answer(response, request.headers.authorization);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  ingest = await startIngest({
    MILLRACE_INGEST_MAX_DOWNLOAD_BYTES: '1000',
    MILLRACE_INGEST_DOWNLOAD_TIMEOUT_MS: '1500',
  });
});
afterAll(async () => {
  await ingest.stop();
  server.closeAllConnections();
  server.close();
});

const run = (location: string) =>
  ingest.run('ingest', { config: { using: 'csv', location, dataset: 'web' } });

describe('a location on the web', () => {
  it('is fetched, following redirects, and its state noted', async () => {
    const result = await run(`${base}/moved`);
    expect(outputOf(result, 'dataset').attributes.rows).toBe('2');
    expect(result.success?.summary).toMatchObject({
      sources: [
        { location: `${base}/moved`, etag: '"v1"', size: 13, digest: expect.stringMatching(/^sha256:/) },
      ],
    });
  });

  it('is shown without credentials', async () => {
    const result = await run(`${base.replace('//', '//ada:secret@')}/private?month=6&sig=abc`);
    outputOf(result, 'dataset');
    const text = JSON.stringify(result);
    expect(text).toContain('/private?month=6&sig=redacted');
    expect(text).not.toMatch(/ada:|secret@|sig=abc/);
  });

  it.each([
    ['/absent.csv', 'invalid', /steps\.ingest\.location: .*\/absent\.csv answered 404/],
    ['/loop', 'invalid', /redirects more than 5 times/],
    ['/to-file', 'invalid', /addresses of "file:" are not supported/],
    ['/large', 'invalid', /is larger than 1000 bytes/],
    ['/declared-large', 'invalid', /is larger than 1000 bytes/],
    ['/hanging', 'timed_out', /did not answer completely within 1\.5 s/],
    ['/failing', 'unavailable', /answered 503/],
    ['/broken', 'unavailable', /cannot be fetched/],
  ])('%s fails the step as %s', async (path, code, message) => {
    const { failure } = await run(`${base}${path}`);
    expect(failure?.error).toMatchObject({ code, retryable: code !== 'invalid' });
    expect(failure?.error?.message).toMatch(message);
  });

  it('with another scheme is refused', async () => {
    expect((await run('ftp://127.0.0.1/x.csv')).failure?.error?.message).toMatch(/"ftp:" are not supported/);
  });
});
