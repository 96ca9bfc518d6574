import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ErrorCode, type MillraceError } from '@millrace/errors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient, type MillraceClient } from '../src/index.ts';

/** Content type of the first record of a TLS connection (RFC 8446, 5.1). */
const handshakeRecord = 22;

type Handler = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

let server: Server;
let client: MillraceClient;
let answer: Handler;
const requests: { method: string; url: string; headers: IncomingMessage['headers']; body: Buffer }[] = [];

/** A gateway over real HTTP that answers as the test says. */
const listen = async (port = 0): Promise<number> => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      answer(request, response, body);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

const json =
  (status: number, body: unknown): Handler =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
const errorOf = (failing: Promise<unknown>): Promise<MillraceError> =>
  failing.then(
    () => Promise.reject(new Error('it did not fail')),
    (thrown: MillraceError) => thrown,
  );
const closeServer = () => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
};

let port: number;
beforeEach(async () => {
  requests.length = 0;
  port = await listen();
  client = createClient({ url: `http://127.0.0.1:${port}`, token: 'secret', user: 'ada', timeoutMs: 300 });
});
afterEach(async () => {
  await client.close();
  await closeServer();
});

describe('a call', () => {
  it('goes to the route of its RPC, says who acts, and gives the message that came back', async () => {
    answer = json(200, { model: { name: 'flights', latestVersion: 3 } });
    const { model } = await client.registry.getModel({ name: 'a/b' });
    expect(model).toMatchObject({ name: 'flights', latestVersion: 3, aliases: {} });
    expect(requests[0]).toMatchObject({
      method: 'GET',
      url: '/api/v1/models/a%2Fb',
      headers: { authorization: 'Bearer secret', 'millrace-user': 'ada' },
    });
  });

  it('sends fields in the body, pages and reasons as fields', async () => {
    answer = json(200, {});
    await client.registry.listModels({ page: { limit: 5 } });
    expect(requests[0]?.url).toBe('/api/v1/models?limit=5');
    await client.deployment.rollback({ endpoint: 'flights', actor: { reason: 'slow' } });
    expect(requests[1]).toMatchObject({ method: 'POST', url: '/api/v1/endpoints/flights/rollback' });
    expect(JSON.parse(String(requests[1]?.body))).toEqual({ reason: 'slow' });
  });

  it('that fails throws the error of the service, whole', async () => {
    const error = {
      code: 'conflict',
      message: 'somebody was faster',
      hint: 'read again',
      violations: [{ path: 'a', message: 'b' }],
      details: { field: 'alias' },
    };
    answer = json(409, { error });
    expect(await errorOf(client.registry.listModels())).toMatchObject(error);
  });

  it('answered by something that is no gateway is told as that', async () => {
    answer = (_request, response) => response.writeHead(502).end('<html>Bad Gateway</html>');
    expect(await errorOf(client.registry.listModels())).toMatchObject({
      code: ErrorCode.internal,
      message: expect.stringContaining('502'),
    });
    answer = (_request, response) => response.writeHead(200).end('<html>');
    expect((await errorOf(client.registry.listModels())).code).toBe(ErrorCode.internal);
  });

  it('to nobody, and one that is not answered in time, are told apart', async () => {
    answer = () => {};
    expect((await errorOf(client.registry.listModels())).code).toBe(ErrorCode.timedOut);
    const lonely = createClient({ url: 'http://127.0.0.1:1' });
    expect(await errorOf(lonely.registry.listModels())).toMatchObject({
      code: ErrorCode.unavailable,
      hint: expect.stringContaining('millrace up'),
    });
    await lonely.close();
  });

  it('to an https address begins with TLS', async () => {
    const listener = createTcpServer();
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const secure = createClient({ url: `https://127.0.0.1:${(listener.address() as AddressInfo).port}` });
    const failing = errorOf(secure.registry.listModels());
    const [socket] = (await once(listener, 'connection')) as [Socket];
    const [hello] = (await once(socket, 'data')) as [Buffer];
    expect(hello[0]).toBe(handshakeRecord);
    socket.destroy();
    expect((await failing).code).toBe(ErrorCode.unavailable);
    await secure.close();
    listener.close();
  });

  it.each(['localhost:7700', 'nowhere', 'ftp://x', ''])('to "%s" is refused before it is made', (url) => {
    expect(() => createClient({ url })).toThrow(/^url: /);
  });
});

describe('blobs', () => {
  it('are asked for, sent from a file, and read', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-client-'));
    const file = join(directory, 'data.csv');
    await writeFile(file, 'a,b\n1,2\n');
    const digest = `sha256:${createHash('sha256').update('a,b\n1,2\n').digest('hex')}`;
    answer = (_request, response) => response.writeHead(404).end();
    expect(await client.blobSize(digest)).toBeUndefined();
    answer = (_request, response) => response.writeHead(200, { 'content-length': 8 }).end();
    expect(await client.blobSize(digest)).toBe(8);
    answer = json(200, {});
    await client.uploadFile(digest, file);
    expect(requests.at(-1)).toMatchObject({ method: 'PUT', body: Buffer.from('a,b\n1,2\n') });
    answer = (_request, response) => response.end('content');
    expect(Buffer.concat(await (await client.downloadBlob(digest)).toArray()).toString()).toBe('content');
    const missing = await errorOf(client.uploadFile(digest, join(directory, 'gone.csv')));
    expect(missing.message).toContain('ENOENT');
    expect(missing.code).not.toBe(ErrorCode.unavailable);
    await rm(directory, { recursive: true, force: true });
  });

  it('of many pieces arrive whole, also two at once', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-client-'));
    const files = ['first', 'second'].map((name) => ({
      path: join(directory, name),
      bytes: randomBytes(3_000_001),
    }));
    for (const { path, bytes } of files) await writeFile(path, bytes);
    answer = json(200, {});
    await Promise.all(files.map(({ path }) => client.uploadFile(path, path)));
    for (const { path, bytes } of files) {
      const request = requests.find(({ url }) => url.endsWith(encodeURIComponent(path)));
      expect(request?.body.equals(bytes)).toBe(true);
    }
    await rm(directory, { recursive: true, force: true });
  });

  it('that the gateway refuses before all has come say why', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-client-'));
    const file = join(directory, 'large');
    await writeFile(file, randomBytes(8_000_000));
    const refusing = createServer((request, response) => {
      request.once('data', () => {
        json(403, { error: { code: 'permission_denied', message: 'not yours' } })(
          request,
          response,
          Buffer.of(),
        );
        request.resume();
      });
    }).listen(0, '127.0.0.1');
    await once(refusing, 'listening');
    const other = createClient({ url: `http://127.0.0.1:${(refusing.address() as AddressInfo).port}` });
    expect((await errorOf(other.uploadFile('sha256:ab', file))).message).toContain('not yours');
    await other.close();
    refusing.close();
    await rm(directory, { recursive: true, force: true });
  });
});

/** A CloudEvent at a place of the stream. */
const event = (id: number) => {
  const type = 'millrace.registry.alias.moved.v1';
  const attributes = {
    specversion: '1.0',
    id: `e${id}`,
    type,
    source: '/millrace/registry',
    subject: 'flights',
  };
  const data = { ...attributes, time: '', sequence: '7', millraceentity: 'registry.alias/flights', data: {} };
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
};
const streaming =
  (text: string, end = true): Handler =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(text);
    if (end) response.end();
  };

describe('events', () => {
  it('go on after the last one seen when the connection breaks, or the gateway is away for a while', async () => {
    const abort = new AbortController();
    answer = streaming(event(1) + event(2));
    const seen: number[] = [];
    for await (const { streamSequence } of client.events({ since: 'all', signal: abort.signal })) {
      seen.push(streamSequence);
      if (streamSequence === 2) {
        await closeServer();
        answer = streaming(event(3), false);
        setTimeout(() => void listen(port), 50);
      }
      if (streamSequence === 3) break;
    }
    abort.abort();
    expect(seen).toEqual([1, 2, 3]);
    expect(requests.map(({ url }) => url)).toEqual(['/api/v1/events?since=all', '/api/v1/events?since=2']);
  });

  it('come with their place in the stream and in their entity', async () => {
    answer = streaming(event(5), false);
    for await (const found of client.events({ since: 'all' })) {
      expect(found).toMatchObject({
        streamSequence: 5,
        subject: 'millrace.evt.registry.alias.moved.v1',
        id: 'e5',
        entity: 'registry.alias/flights',
        key: 'flights',
        sequence: 7,
      });
      break;
    }
  });

  it('that are there end when the gateway says so, not when the connection does', async () => {
    let connections = 0;
    answer = (request, response, body) => {
      connections += 1;
      const text = connections === 1 ? event(1) : `${event(2)}event: end\ndata: {}\n\n`;
      streaming(text)(request, response, body);
    };
    const seen: number[] = [];
    for await (const { streamSequence } of client.events({ since: 'all', follow: false })) {
      seen.push(streamSequence);
    }
    expect(seen).toEqual([1, 2]);
    expect(requests.map(({ url }) => url)).toEqual([
      '/api/v1/events?since=all&follow=false',
      '/api/v1/events?since=1&follow=false',
    ]);
  });

  it('that are new go on from when they were first listened for', async () => {
    let connections = 0;
    answer = (request, response, body) => {
      connections += 1;
      streaming(connections === 1 ? ': nothing yet\n\n' : event(9), connections > 1)(request, response, body);
      if (connections === 1) response.end();
    };
    for await (const _ of client.events()) break;
    expect(requests[0]?.url).toBe('/api/v1/events?since=new');
    expect(requests[1]?.url).toMatch(/since=20\d\d-/);
  });

  it('go on when the gateway says that its source failed', async () => {
    let connections = 0;
    answer = (request, response, body) => {
      connections += 1;
      const failure = 'event: error\ndata: {"error":{"code":"unavailable","message":"bus"}}\n\n';
      streaming(connections === 1 ? event(1) + failure : event(2), connections === 1)(
        request,
        response,
        body,
      );
    };
    const seen: number[] = [];
    for await (const { streamSequence } of client.events({ since: 'all' })) {
      seen.push(streamSequence);
      if (seen.length === 2) break;
    }
    expect(seen).toEqual([1, 2]);
  });

  it('that are asked for wrongly throw', async () => {
    answer = json(400, { error: { code: 'invalid', message: 'since: no' } });
    const first = client.events({ since: 'x' })[Symbol.asyncIterator]().next();
    expect((await errorOf(first)).code).toBe(ErrorCode.invalid);
  });

  it('end by their signal', async () => {
    const abort = new AbortController();
    answer = streaming(event(1), false);
    const seen: number[] = [];
    for await (const { streamSequence } of client.events({ signal: abort.signal })) {
      seen.push(streamSequence);
      abort.abort();
    }
    expect(seen).toEqual([1]);
  });
});

describe('watching a run', () => {
  it('gives the run and its progress, and ends with the stream', async () => {
    answer = streaming(
      'event: progress\ndata: {"step":"train","fraction":0.5}\n\nevent: run\ndata: {"id":"r","state":"RUN_STATE_SUCCEEDED"}\n\n',
    );
    const updates = [];
    for await (const update of client.watchRun('r')) updates.push(update);
    expect(updates).toMatchObject([
      { kind: 'progress', progress: { step: 'train', fraction: 0.5 } },
      { kind: 'run', run: { id: 'r', state: 'RUN_STATE_SUCCEEDED' } },
    ]);
  });

  it('says that the gateway is away when the stream breaks', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: run\ndata: {"id":"r"}\n\n', () => response.destroy());
    };
    const watching = (async () => {
      for await (const _ of client.watchRun('r'));
    })();
    expect((await errorOf(watching)).code).toBe(ErrorCode.unavailable);
  });
});
