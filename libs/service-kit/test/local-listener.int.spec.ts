import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@millrace/telemetry';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type HttpServer, startHttpServer } from '../src/http-server.ts';
import { HttpPeer } from '../src/index.ts';

const passed = { request: ['content-type'], answer: ['content-type'] };

/** The listener of one service, and that of another that hands all it is asked over to it. */
let inner: HttpServer;
let edge: Server;
let timeoutMs: number;
let release: () => void;
let reached: Promise<void>;
/** What handing over came to, in the order of the requests. */
const outcomes: (Promise<unknown> | undefined)[] = [];

beforeEach(async () => {
  const gate = Promise.withResolvers<void>();
  const arrival = Promise.withResolvers<void>();
  release = gate.resolve;
  reached = arrival.promise;
  outcomes.length = 0;
  timeoutMs = 60_000;
  inner = await startHttpServer({
    service: 'registry',
    host: '127.0.0.1',
    port: 0,
    log: createLogger('silent'),
    readiness: async () => ({}),
    routes: (app) => {
      app.get('/slow', async () => {
        arrival.resolve();
        await gate.promise;
        return 'late';
      });
    },
  });
  const place = { address: () => '127.0.0.1:1', local: () => inner.local };
  edge = createServer((request, response) => {
    const peer = new HttpPeer('registry', place, undefined, { connections: 1, timeoutMs });
    const answered = peer.handOver(request, response, passed);
    outcomes.push(answered);
    answered?.catch(() => response.writeHead(503).end());
    if (answered === undefined) response.writeHead(502).end();
  });
  await new Promise<void>((resolve) => edge.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  release();
  edge.closeAllConnections();
  edge.close();
  await inner.stop();
});

const ask = () => fetch(`http://127.0.0.1:${(edge.address() as AddressInfo).port}/slow`);

it('a request that was handed over is answered before the listener stops, which takes no more', async () => {
  const slow = ask();
  await reached;
  let isStopped = false;
  const stopping = inner.stop().then(() => {
    isStopped = true;
  });
  expect((await ask()).status).toBe(502);
  expect(isStopped).toBe(false);
  release();
  expect(await (await slow).text()).toBe('late');
  await stopping;
});

it('one that is not answered in time is given up, and what comes too late is dropped', async () => {
  timeoutMs = 100;
  expect((await ask()).status).toBe(503);
  await expect(outcomes[0]).rejects.toMatchObject({ code: 'timed_out' });
  release();
  timeoutMs = 60_000;
  expect(await (await ask()).text()).toBe('late');
});

it('one whose client has gone is not answered at all', async () => {
  const gone = new AbortController();
  const request = fetch(`http://127.0.0.1:${(edge.address() as AddressInfo).port}/slow`, {
    signal: gone.signal,
  });
  await reached;
  gone.abort();
  await expect(request).rejects.toThrow();
  await expect(outcomes[0]).resolves.toBeDefined();
});
