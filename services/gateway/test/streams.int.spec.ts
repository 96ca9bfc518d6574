import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { consumeEvents, type Outcome, subscription } from '@millrace/bus';
import { pipelineEvents, Run, RunState } from '@millrace/contracts/pipeline';
import { apiPrefix } from '@millrace/rest';
import { eventMessage } from '@millrace/service-kit';
import { type CloudEvent, HTTP } from 'cloudevents';
import { EventSource } from 'eventsource';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, Lab } from './fixture.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.stop());

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const blobUrl = (digest: string) => `${lab.url}${apiPrefix}/blobs/${digest}`;
const put = async (digest: string, bytes: Uint8Array | Readable, headers: Record<string, string> = {}) => {
  const answer = await request(blobUrl(digest), { method: 'PUT', body: bytes, headers });
  return {
    status: answer.statusCode,
    body: (await answer.body.json()) as { error: { code: string }; size: number },
  };
};

describe('blobs', () => {
  it.each([0, 1, 65_536, 20 * 1024 * 1024 + 7])('of %d bytes come back as they went', async (size) => {
    const bytes = randomBytes(size);
    const digest = digestOf(bytes);
    expect((await request(blobUrl(digest), { method: 'HEAD' })).statusCode).toBe(404);
    expect(await put(digest, bytes)).toMatchObject({ status: 200, body: { size } });
    const head = await request(blobUrl(digest), { method: 'HEAD' });
    expect([head.statusCode, head.headers['content-length']]).toEqual([200, String(size)]);
    const answer = await request(blobUrl(digest));
    expect(answer.headers).toMatchObject({ etag: `"${digest}"`, 'x-content-type-options': 'nosniff' });
    expect(digestOf(Buffer.from(await answer.body.arrayBuffer()))).toBe(digest);
    expect((await put(digest, bytes)).status).toBe(200);
  });

  it('are streamed, in chunks of any size and whatever they are called', async () => {
    const chunks = [1, 70_000, 3, 900_000].map((size) => randomBytes(size));
    const digest = digestOf(Buffer.concat(chunks));
    expect(await put(digest, Readable.from(chunks), { 'content-type': 'application/json' })).toMatchObject({
      status: 200,
    });
  });

  it('come and go whole, many at once, whoever leaves in the midst', async () => {
    const large = [1, 2, 3].map(() => randomBytes(6 * 1024 * 1024 + 1));
    const leaving = randomBytes(8 * 1024 * 1024);
    async function* brokenOff(): AsyncGenerator<Uint8Array> {
      yield leaving.subarray(0, 3_000_000);
      throw new Error('left');
    }
    const [left] = await Promise.allSettled([
      put(digestOf(leaving), Readable.from(brokenOff())),
      ...large.map((bytes) => put(digestOf(bytes), bytes)),
    ]);
    expect(left.status).toBe('rejected');
    expect((await request(blobUrl(digestOf(leaving)), { method: 'HEAD' })).statusCode).toBe(404);
    const digests = large.map(digestOf);
    const ofOneThatLeaves = await request(blobUrl(digests[0] ?? ''));
    const answers = await Promise.all([...digests, ...digests].map((digest) => request(blobUrl(digest))));
    ofOneThatLeaves.body.destroy();
    const read = await Promise.all(answers.map(({ body }) => body.arrayBuffer()));
    expect(read.map((bytes) => digestOf(Buffer.from(bytes)))).toEqual([...digests, ...digests]);
  });

  it('with another digest are refused and not kept', async () => {
    const digest = digestOf(randomBytes(8));
    expect(await put(digest, randomBytes(9))).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid' } },
    });
    expect((await request(blobUrl(digest), { method: 'HEAD' })).statusCode).toBe(404);
    expect((await request(blobUrl(digest))).statusCode).toBe(404);
  });

  it('are named by digests only', async () => {
    for (const name of ['latest', 'sha256:12', encodeURIComponent('../../etc/passwd')]) {
      expect((await request(blobUrl(name))).statusCode).toBe(400);
    }
  });
});

interface Received {
  readonly id?: string;
  readonly event?: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the stream carries
  readonly data: any;
}

/** Reads a stream until `enough` events have come, or to its end. */
const read = async (
  path: string,
  enough: number,
  headers: Record<string, string> = {},
): Promise<Received[]> => {
  const abort = new AbortController();
  const answer = await request(`${lab.url}${apiPrefix}${path}`, { headers, signal: abort.signal });
  expect(answer.headers['content-type']).toContain('text/event-stream');
  const seen: Received[] = [];
  let text = '';
  try {
    for await (const chunk of answer.body) {
      text += String(chunk);
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks.filter((item) => !item.startsWith(':'))) {
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
        seen.push({ ...fields, data: JSON.parse(fields.data) });
      }
      if (seen.length >= enough) break;
    }
  } finally {
    abort.abort();
  }
  return seen.slice(0, enough);
};

/** Passes events on until there were so many. */
const pass = async (events: Readable, response: ServerResponse, limit: number): Promise<void> => {
  let text = '';
  let passed = 0;
  for await (const chunk of events) {
    const blocks = `${text}${chunk}`.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      response.write(`${block}\n\n`);
      if (block.includes('data:')) passed += 1;
      if (passed >= limit) return void response.end();
    }
  }
};

/** Passes requests on, and cuts the first answer off after so many events. */
class CuttingProxy {
  readonly lastEventIds: (string | undefined)[] = [];
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(target: string, cutAfter: number): Promise<CuttingProxy> {
    const server = createServer(async ({ url = '', headers }, response) => {
      const lastEventId = headers['last-event-id'] as string | undefined;
      proxy.lastEventIds.push(lastEventId);
      const resumed = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
      const answer = await request(`${target}${url}`, { headers: resumed });
      response.on('close', () => answer.body.destroy());
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const cut = proxy.lastEventIds.length === 1;
      try {
        await pass(answer.body, response, cut ? cutAfter : Number.POSITIVE_INFINITY);
      } catch {
        // The reader went away.
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy: CuttingProxy = new CuttingProxy(server);
    return proxy;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const runs = () => lab.runtime('pipeline').store.collection<{ count: number }>({ name: 'runs' });

/** Publishes an event of a pipeline run. */
const publish = async (id: string, event: 'runCancelRequested' | 'runResumed' = 'runResumed') => {
  await runs().update(id, (current) => ({
    document: { count: (current?.document.count ?? 0) + 1 },
    messages: [eventMessage(pipelineEvents[event], id, { pipelineRunId: id, actor: undefined })],
  }));
  await eventually(async () => expect((await lab.runtime('pipeline').store.outbox.stats()).pending).toBe(0));
};

describe('the event stream', () => {
  const between = { time: '' };
  beforeAll(async () => {
    await publish('a');
    await publish('b');
    await publish('a', 'runCancelRequested');
    between.time = new Date().toISOString();
    await publish('c');
  });
  const keys = (events: readonly Received[]) => events.map(({ data }) => data.subject);

  it('gives all events from the beginning, whole, with their place in the stream', async () => {
    const events = await read('/events?since=all', 4);
    expect(keys(events)).toEqual(['a', 'b', 'a', 'c']);
    expect(events[2]).toMatchObject({
      event: 'millrace.pipeline.run.cancel_requested.v1',
      data: {
        specversion: '1.0',
        subject: 'a',
        sequence: '2',
        source: '/millrace/pipeline',
        millraceentity: 'pipeline.run/a',
        data: { pipelineRunId: 'a' },
      },
    });
    expect(events[2]?.data.headers).toBeUndefined();
    expect(events.map(({ id }) => Number(id))).toEqual([1, 2, 3, 4]);
  });

  it('goes on after a sequence, after what was seen last, and from a time', async () => {
    const [first, second] = await read('/events?since=all', 2);
    expect(keys(await read(`/events?since=${second?.id}`, 2))).toEqual(['a', 'c']);
    expect(keys(await read('/events?since=all', 1, { 'last-event-id': first?.id ?? '' }))).toEqual(['b']);
    expect(keys(await read(`/events?since=${between.time}`, 1))).toEqual(['c']);
  });

  it('filters by subject and by key', async () => {
    expect(keys(await read('/events?since=all&key=a', 2))).toEqual(['a', 'a']);
    const cancels = 'millrace.evt.pipeline.run.cancel_requested.v1';
    const other = 'millrace.evt.registry.>';
    expect(keys(await read(`/events?since=all&filter=${cancels}&filter=${other}`, 1))).toEqual(['a']);
  });

  it('ends after the last event there is when it is not to follow', async () => {
    const events = await read('/events?since=all&follow=false', 100);
    expect(keys(events.slice(0, -1))).toEqual(['a', 'b', 'a', 'c']);
    expect(events.at(-1)).toMatchObject({ event: 'end', data: {} });
    const none = await read('/events?since=all&follow=false&filter=millrace.evt.registry.>', 100);
    expect(none).toMatchObject([{ event: 'end' }]);
  });

  it('is read and resumed by the stock EventSource, and parsed by the stock CloudEvents SDK', async () => {
    const proxy = await CuttingProxy.start(lab.url, 2);
    const seen: CloudEvent<unknown>[] = [];
    const source = new EventSource(`${proxy.url}${apiPrefix}/events?since=all`);
    const headers = { 'content-type': 'application/cloudevents+json' };
    const take = ({ data }: MessageEvent) => {
      seen.push(HTTP.toEvent({ headers, body: data }) as CloudEvent<unknown>);
    };
    for (const { type } of [pipelineEvents.runResumed, pipelineEvents.runCancelRequested]) {
      source.addEventListener(type, take);
    }
    await eventually(() => expect(seen.length).toBeGreaterThanOrEqual(4));
    source.close();
    await proxy.stop();
    expect(seen.slice(0, 4).map(({ subject }) => subject)).toEqual(['a', 'b', 'a', 'c']);
    expect(proxy.lastEventIds).toEqual([undefined, '2']);
  });

  it('gives new events as they come', async () => {
    const coming = read('/events', 1);
    await eventually(async () => {
      await publish('live');
      expect(await Promise.race([coming.then(() => true), new Promise((done) => setImmediate(done))])).toBe(
        true,
      );
    });
    expect(keys(await coming)).toEqual(['live']);
  });

  it.each(['since=yesterday', 'filter=other.subject', 'filter=millrace.evt.%20', 'topic=x'])(
    'refuses %s',
    async (query) => {
      const { status, body } = await lab.call('GET', `${apiPrefix}/events?${query}`);
      expect([status, body.error.violations[0].path]).toEqual([400, query.split('=')[0]]);
    },
  );

  it('waits for a slow reader, who misses nothing', async () => {
    const large = 'x'.repeat(100_000);
    for (let i = 0; i < 40; i += 1) {
      await runs().update(`slow-${i}`, () => ({
        document: { count: 1 },
        messages: [
          eventMessage(pipelineEvents.runResumed, `slow-${i}`, {
            pipelineRunId: large,
            actor: undefined,
          }),
        ],
      }));
    }
    const answer = await request(`${lab.url}${apiPrefix}/events?since=all`);
    // Nothing is read while everything is there to be sent.
    await eventually(async () =>
      expect((await lab.runtime('pipeline').store.outbox.stats()).pending).toBe(0),
    );
    await lab.call('GET', `${apiPrefix}/status`);
    const found = new Set<string>();
    let tail = '';
    for await (const chunk of answer.body) {
      tail += String(chunk);
      for (const [, key] of tail.matchAll(/"subject":"(slow-\d+)"/g)) found.add(key ?? '');
      tail = tail.slice(-200_000);
      if (found.size === 40) break;
    }
    expect(found.size).toBe(40);
  });
});

describe('watching a run', () => {
  const tell = (state: RunState) =>
    lab.answers.set('pipeline.getRun', async () => ({ run: Run.fromPartial({ id: 'w', state }) }));

  it('gives the run now, its progress, its changes, and ends with it', async () => {
    tell(RunState.RUN_STATE_RUNNING);
    const coming = read('/runs/w/watch', 10);
    const { bus } = lab.runtime('pipeline');
    const progress = setInterval(
      () => bus.publishProgress('millrace.progress.w.train', { step: 'train' }),
      20,
    );
    await eventually(() => expect(lab.asked.some(({ rpc }) => rpc === 'pipeline.getRun')).toBe(true));
    tell(RunState.RUN_STATE_SUCCEEDED);
    await publish('w');
    clearInterval(progress);
    const updates = (await coming).filter(({ event }) => event === 'run').map(({ data }) => data.state);
    expect(updates.at(-1)).toBe('RUN_STATE_SUCCEEDED');
  });

  it('that has ended gives it once', async () => {
    tell(RunState.RUN_STATE_FAILED);
    expect(await read('/runs/w/watch', 10)).toMatchObject([
      { event: 'run', data: { state: 'RUN_STATE_FAILED' } },
    ]);
  });

  it('that does not exist is an ordinary error', async () => {
    lab.answers.delete('pipeline.getRun');
    const { NotFound } = await import('@millrace/errors');
    lab.answers.set('pipeline.getRun', () => Promise.reject(new NotFound('there is no run x')));
    expect(await lab.call('GET', `${apiPrefix}/runs/x/watch`)).toMatchObject({ status: 404 });
  });
});

describe('dead letters', () => {
  it('are listed, shown and handed to their consumer again', async () => {
    let healed = false;
    const handled: string[] = [];
    const { bus, store } = lab.runtime('registry');
    const handle = async ({ key }: { key: string }): Promise<Outcome> => {
      if (!healed) return { kind: 'reject', reason: 'poison' };
      handled.push(key);
      return { kind: 'done' };
    };
    const consumer = consumeEvents(bus, {
      name: 'registry-spec',
      inbox: store.inbox,
      subscriptions: [subscription(pipelineEvents.runResumed, handle)],
    });
    await publish('poisoned');
    const letter = await eventually(async () => {
      const { body } = await lab.call('GET', `${apiPrefix}/dead-letters`);
      const found = body.deadLetters.find((item: { body: string }) => item.body.includes('poisoned'));
      expect(found).toBeDefined();
      return found;
    });
    const path = `${apiPrefix}/dead-letters/${letter.sequence}`;
    expect((await lab.call('GET', path)).body.deadLetter).toMatchObject({
      consumer: 'registry-spec',
      reason: 'poison',
    });
    healed = true;
    expect((await lab.call('POST', `${path}/replay`)).status).toBe(200);
    await eventually(() => expect(handled).toContain('poisoned'));
    expect((await lab.call('GET', path)).body.deadLetter.replayedAt).toBeDefined();
    await consumer.stop();
  });

  it('that do not exist are not found, and wrong numbers are refused', async () => {
    expect((await lab.call('GET', `${apiPrefix}/dead-letters/99999`)).status).toBe(404);
    expect((await lab.call('POST', `${apiPrefix}/dead-letters/99999/replay`)).status).toBe(404);
    expect((await lab.call('GET', `${apiPrefix}/dead-letters/x`)).status).toBe(400);
    expect((await lab.call('GET', `${apiPrefix}/dead-letters?limit=0`)).status).toBe(400);
  });
});
