import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { apiPrefix } from '@millrace/rest';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, Lab } from './fixture.ts';

const limits = { requests: 3, streams: 2 };
const stallMs = 1_000;
const blobBytes = 64 * 1024 * 1024;

let lab: Lab;
const open: { destroy(): void }[] = [];

beforeAll(async () => {
  lab = await Lab.open({
    MILLRACE_MAX_REQUESTS: String(limits.requests),
    MILLRACE_MAX_STREAMS: String(limits.streams),
    MILLRACE_STREAM_STALL_MS: String(stallMs),
  });
});
afterAll(async () => {
  for (const each of open) each.destroy();
  await lab.stop();
});

/** Opens a stream and reads it. */
const listen = async (): Promise<IncomingMessage> => {
  const request = get(`${lab.url}${apiPrefix}/events`, { agent: false });
  open.push(request);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  answer.resume();
  answer.on('error', () => {});
  return answer;
};

/** Sends a request and takes nothing of the answer. */
const requestAndStall = (path: string): Socket => {
  const { hostname, port } = new URL(lab.url);
  const socket = connect(Number(port), hostname, () => {
    socket.write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`);
    socket.pause();
  });
  socket.on('error', () => {});
  open.push(socket);
  return socket;
};

it('streams beyond the limit are turned away with a time to come again, and let in when one has left', async () => {
  const streams = [await listen(), await listen()];
  expect(streams.map(({ statusCode }) => statusCode)).toEqual([200, 200]);
  const refused = await listen();
  expect(refused.statusCode).toBe(503);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(5);
  expect((await lab.call('GET', `${apiPrefix}/models`)).status).toBe(200);
  for (const stream of streams) stream.destroy();
  await eventually(async () => {
    const again = await listen();
    expect(again.statusCode).toBe(200);
    again.destroy();
  });
});

it('requests beyond the limit are turned away, health checks never', async () => {
  const held = Promise.withResolvers<object>();
  lab.answers.set('registry.listModels', () => held.promise);
  const list = () => lab.call('GET', `${apiPrefix}/models`);
  const waiting = Array.from({ length: limits.requests }, list);
  await eventually(() => {
    const asked = lab.asked.filter(({ rpc }) => rpc === 'registry.listModels');
    expect(asked.length).toBeGreaterThanOrEqual(limits.requests);
  });
  expect(await list()).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
  expect((await lab.call('GET', '/health/live')).status).toBe(200);
  held.resolve({});
  await Promise.all(waiting);
  lab.answers.delete('registry.listModels');
  expect((await list()).status).toBe(200);
});

it('who takes nothing of a blob or of a stream is cut off', async () => {
  const { blobs, bus } = lab.runtime('gateway');
  const { digest } = await blobs.put(Buffer.alloc(blobBytes, 'x'));
  const ofBlob = requestAndStall(`${apiPrefix}/blobs/${digest}`);
  const ofStream = requestAndStall(`${apiPrefix}/events?since=all`);
  const text = 'x'.repeat(500_000);
  for (let event = 0; event < 40; event += 1) {
    await bus.internals.js.publish('millrace.evt.registry.bulk.noted.v1', JSON.stringify({ event, text }));
  }
  for (const socket of [ofBlob, ofStream]) expect(await bytesBeforeCut(socket)).toBeLessThan(20_000_000);
});

/** Waits until the stalled socket must have been cut, then reads what had come; never ends where it was not cut. */
const bytesBeforeCut = async (socket: Socket): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, 3 * stallMs));
  let bytes = 0;
  socket.on('data', (piece: Buffer) => {
    bytes += piece.length;
  });
  socket.resume();
  if (!socket.closed) await once(socket, 'close');
  return bytes;
};
