import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { HTTP } from 'cloudevents';
import { Webhook as Verifier } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { BridgeLab } from './bridge-lab.ts';
import { acknowledge, answerWith, Receiver } from './receiver.ts';

const patience = { timeout: 60_000, interval: 20 };

let lab: BridgeLab;
const receivers: Receiver[] = [];

const receive = async (): Promise<Receiver> => {
  const receiver = await Receiver.start();
  receivers.push(receiver);
  return receiver;
};

const publishMany = async (model: string, count: number): Promise<string[]> => {
  const ids: string[] = [];
  for (let number = 0; number < count; number += 1) ids.push(await lab.publish(model));
  return ids;
};

const deliveriesOf = async (webhookId: string) =>
  (await lab.client.listDeliveries({ webhookId, state: 'DELIVERY_STATE_UNSPECIFIED', page: undefined }))
    .deliveries;

const webhookOf = async (id: string) => (await lab.client.getWebhook({ id })).webhook;

const setActive = (id: string, active: boolean) =>
  lab.client.updateWebhook({ id, active, filter: undefined, actor: undefined });

beforeAll(async () => {
  lab = await BridgeLab.start();
  await lab.open();
});

afterEach(async () => {
  const { webhooks } = await lab.client.listWebhooks({ page: undefined });
  for (const { id } of webhooks) await lab.client.deleteWebhook({ id, actor: undefined });
  for (const receiver of receivers.splice(0)) await receiver.stop();
});

afterAll(() => lab?.stop());

test('an event arrives signed, as a CloudEvent that the stock libraries verify and parse', async () => {
  const receiver = await receive();
  const { secret } = await lab.create(receiver.url);
  const id = await lab.publish('flights', 'zoë ✓');
  await vi.waitFor(() => expect(receiver.ids).toEqual([id]), patience);
  const [request] = receiver.acknowledged;
  const { headers, body } = request ?? { headers: {}, body: '' };
  expect(() => new Verifier(secret).verify(body, headers as Record<string, string>)).not.toThrow();
  expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
  const event = HTTP.toEvent({ headers, body });
  expect(event).toMatchObject({
    id,
    specversion: '1.0',
    type: 'millrace.registry.policy.changed.v1',
    source: '/millrace/registry',
    subject: 'flights',
    sequence: '1',
    millraceentity: 'registry.policy/flights',
    data: { model: 'flights', actor: { reason: 'zoë ✓' } },
  });
});

test('both secrets sign while one replaces the other', async () => {
  const receiver = await receive();
  const { id, secret } = await lab.create(receiver.url);
  const rotated = await lab.client.rotateWebhookSecret({ id, overlapSeconds: 3600, actor: undefined });
  expect(rotated.webhook?.oldSecretUntil).toBeDefined();
  await lab.publish('rotation');
  await vi.waitFor(() => expect(receiver.ids).toHaveLength(1), patience);
  const { headers, body } = receiver.acknowledged[0] ?? { headers: {}, body: '' };
  for (const each of [secret, rotated.secret]) {
    expect(() => new Verifier(each).verify(body, headers as Record<string, string>)).not.toThrow();
  }
  await lab.client.rotateWebhookSecret({ id, overlapSeconds: 0, actor: undefined });
  await lab.publish('rotation');
  await vi.waitFor(() => expect(receiver.ids).toHaveLength(2), patience);
  const second = receiver.acknowledged[1] ?? { headers: {}, body: '' };
  expect(() => new Verifier(secret).verify(second.body, second.headers as Record<string, string>)).toThrow();
});

test('a secret is in no answer, event, list, log of deliveries or error but the one that made it', async () => {
  const receiver = await receive();
  const seen: unknown[] = [];
  const reading = new AbortController();
  const events = (async () => {
    for await (const event of lab.bus.readEvents({ since: 'all', signal: reading.signal })) seen.push(event);
  })();
  const { id, secret } = await lab.create(`${receiver.url}?key=of-the-receiver`);
  const { secret: second } = await lab.client.rotateWebhookSecret({ id, actor: undefined });
  receiver.answer = answerWith(500);
  await lab.publish('secrets');
  await vi.waitFor(
    () => expect(JSON.stringify(seen)).toContain('millrace.bridge.delivery.failed.v1'),
    patience,
  );
  const answers = [
    await webhookOf(id),
    await deliveriesOf(id),
    await lab.client.listWebhooks({ page: undefined }),
  ];
  reading.abort();
  await events;
  const published = JSON.stringify(seen);
  for (const text of [published, JSON.stringify(answers)]) {
    expect(text).toContain(id);
    for (const each of [secret, second]) expect(text).not.toContain(each.slice(6));
  }
  expect(published).not.toContain('of-the-receiver');
  expect((await stat(join(lab.dataDir, 'bridge'))).mode & 0o077).toBe(0);
});

test('secrets are encrypted on disk once a key is set, and go on to sign', async () => {
  const receiver = await receive();
  const { secret } = await lab.create(receiver.url);
  const store = join(lab.dataDir, 'bridge', 'store.sqlite');
  await lab.close();
  expect(await readFile(store, 'latin1')).toContain(secret);
  const key = { MILLRACE_SECRETS_KEY: Buffer.alloc(32, 7).toString('base64') };
  await lab.open(key);
  const id = await lab.publish('sealed');
  await vi.waitFor(() => expect(receiver.ids).toContain(id), patience);
  const { headers, body } = receiver.acknowledged.at(-1) ?? { headers: {}, body: '' };
  expect(() => new Verifier(secret).verify(body, headers as Record<string, string>)).not.toThrow();
  const rotated = await lab.client.rotateWebhookSecret({ id: (await onlyWebhook()).id, actor: undefined });
  await lab.close();
  expect(await readFile(store, 'latin1')).not.toContain(rotated.secret);
  await lab.open(key);
});

const onlyWebhook = async () => {
  const { webhooks } = await lab.client.listWebhooks({ page: undefined });
  const [webhook] = webhooks;
  if (webhook === undefined || webhooks.length > 1) throw new Error('there is not one webhook');
  return webhook;
};

test('an event is tried again until it is acknowledged, always with the same webhook-id and body', async () => {
  const receiver = await receive();
  receiver.answer = answerWith(503);
  const { id: webhookId } = await lab.create(receiver.url);
  const id = await lab.publish('retries');
  await vi.waitFor(() => expect(receiver.requests.length).toBeGreaterThanOrEqual(3), patience);
  receiver.answer = acknowledge;
  await vi.waitFor(() => expect(receiver.ids).toEqual([id]), patience);
  expect(new Set(receiver.requests.map((request) => request.id))).toEqual(new Set([id]));
  expect(new Set(receiver.requests.map(({ body }) => body)).size).toBe(1);
  await vi.waitFor(async () => {
    const [delivery] = await deliveriesOf(webhookId);
    expect(delivery).toMatchObject({ state: 'DELIVERY_STATE_SUCCEEDED', eventId: id });
    expect(delivery?.attempts.at(-1)).toMatchObject({ statusCode: 204, error: '' });
    expect(delivery?.attempts[0]).toMatchObject({ statusCode: 503, error: 'HTTP 503' });
    expect(delivery?.attemptCount).toBe(receiver.requests.length);
  }, patience);
});

test('a delivery that failed for good is told, logged and can be made again, once for each asking', async () => {
  const receiver = await receive();
  receiver.answer = answerWith(400, {}, 'no such hook');
  const { id: webhookId } = await lab.create(receiver.url);
  const ids = await publishMany('broken', 2);
  await vi.waitFor(async () => {
    const states = (await deliveriesOf(webhookId)).map(({ state }) => state);
    expect(states).toEqual(['DELIVERY_STATE_FAILED', 'DELIVERY_STATE_FAILED']);
  }, patience);
  const [last, first] = await deliveriesOf(webhookId);
  expect(first?.attempts.at(-1)?.error).toBe('HTTP 400: no such hook');
  expect(first?.attemptCount).toBe(6);
  receiver.answer = acknowledge;
  const one = {
    webhookId,
    deliveryId: first?.id ?? '',
    since: undefined,
    until: undefined,
    missed: false,
    actor: undefined,
  };
  expect(await lab.client.redeliver(one)).toEqual({ count: 1 });
  await vi.waitFor(() => expect(receiver.ids).toEqual([ids[0]]), patience);
  await vi.waitFor(async () => {
    const found = (await deliveriesOf(webhookId)).find(({ id }) => id === first?.id);
    expect(found).toMatchObject({ state: 'DELIVERY_STATE_SUCCEEDED', redeliveries: 1 });
  }, patience);
  const range = { ...one, deliveryId: '' };
  expect(await lab.client.redeliver(range)).toEqual({ count: 1 });
  await vi.waitFor(() => expect(receiver.ids).toEqual([ids[0], ids[1]]), patience);
  await vi.waitFor(async () => expect((await webhookOf(webhookId))?.waiting).toBe(0), patience);
  expect(await lab.client.redeliver(range)).toEqual({ count: 0 });
  expect(last?.eventId).toBe(ids[1]);
});

test('events missed while a webhook was off are fetched from the bus, each once, in order', async () => {
  const receiver = await receive();
  const { id: webhookId } = await lab.create(receiver.url);
  const since = new Date().toISOString();
  await setActive(webhookId, false);
  expect((await webhookOf(webhookId))?.state).toBe('WEBHOOK_STATE_PAUSED');
  // Another webhook shows when the bridge has handled them.
  const witness = await receive();
  await lab.create(witness.url);
  const missed = await publishMany('missed', 5);
  await vi.waitFor(() => expect(witness.ids).toEqual(missed), patience);
  await setActive(webhookId, true);
  const later = await lab.publish('other');
  await vi.waitFor(() => expect(receiver.ids).toEqual([later]), patience);
  const request = { webhookId, deliveryId: '', since, until: undefined, missed: true, actor: undefined };
  expect(await lab.client.redeliver(request)).toEqual({ count: 5 });
  expect(await lab.client.redeliver(request)).toEqual({ count: 0 });
  await vi.waitFor(() => expect(receiver.ids).toEqual([later, ...missed]), patience);
});

test('what was queued when a webhook was paused goes out when it is on again', async () => {
  const receiver = await receive();
  receiver.answer = answerWith(503, { 'retry-after': '1' });
  const { id } = await lab.create(receiver.url);
  const queued = await lab.publish('paused');
  await vi.waitFor(() => expect(receiver.requests).toHaveLength(1), patience);
  await setActive(id, false);
  receiver.answer = acknowledge;
  await setActive(id, true);
  await vi.waitFor(() => expect(receiver.ids).toEqual([queued]), patience);
});

test("an entity's events arrive in order although attempts fail and others are under way", async () => {
  const receiver = await receive();
  const seen = new Set<string>();
  receiver.answer = (response, received) => {
    const refused = !seen.has(received.id) && seen.size % 3 === 0;
    seen.add(received.id);
    (refused ? answerWith(500) : acknowledge)(response, received);
  };
  await lab.create(receiver.url);
  const expected = new Map<string, string[]>();
  for (let round = 0; round < 8; round += 1) {
    for (const model of ['a', 'b', 'c', 'd', 'e']) {
      expected.set(model, [...(expected.get(model) ?? []), await lab.publish(`order-${model}`)]);
    }
  }
  await vi.waitFor(() => expect(receiver.ids).toHaveLength(40), patience);
  for (const ids of expected.values()) {
    expect(receiver.ids.filter((id) => ids.includes(id))).toEqual(ids);
  }
});

test('a stuck event holds up its entity, or nothing in a webhook without order', async () => {
  const [ordered, unordered] = [await receive(), await receive()];
  await Promise.all(
    [ordered, unordered].map((receiver, index) => lab.create(receiver.url, { unordered: index === 1 })),
  );
  for (const receiver of [ordered, unordered]) {
    receiver.answer = (response, received) => {
      const { subject, sequence } = JSON.parse(received.body) as { subject: string; sequence: string };
      const refuse = subject === 'stuck' && sequence === '1';
      (refuse ? answerWith(503, { 'retry-after': '2' }) : acknowledge)(response, received);
    };
  }
  const ids = await publishMany('stuck', 3);
  await vi.waitFor(() => expect(unordered.ids).toEqual(ids.slice(1)), patience);
  const other = await lab.publish('free');
  await vi.waitFor(() => expect(ordered.ids).toContain(other), patience);
  expect(ordered.ids).not.toContain(ids[1]);
  ordered.answer = acknowledge;
  await vi.waitFor(() => expect(ordered.ids.filter((id) => ids.includes(id))).toEqual(ids), patience);
});

test('a receiver that hangs holds up no other', async () => {
  const sockets = new Set<{ destroy(): void }>();
  const silent = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const receiver = await receive();
  const hanging = await lab.create(`http://127.0.0.1:${port}/`);
  await lab.create(receiver.url);
  const ids: string[] = [];
  for (let number = 0; number < 30; number += 1) ids.push(await lab.publish(`hang-${number}`));
  await vi.waitFor(() => expect([...receiver.ids].sort()).toEqual([...ids].sort()), patience);
  // Thirty attempts of five seconds each, four at a time, take much longer.
  expect((await webhookOf(hanging.id))?.waiting).toBe(30);
  for (const socket of sockets) socket.destroy();
  silent.close();
});

test('429 and Retry-After pause all deliveries of the webhook for as long as they say', async () => {
  const receiver = await receive();
  receiver.answer = answerWith(429, { 'retry-after': '1' });
  await lab.create(receiver.url);
  const first = await lab.publish('limited-1');
  await vi.waitFor(() => expect(receiver.requests).toHaveLength(1), patience);
  const asked = Date.now();
  receiver.answer = acknowledge;
  const second = await lab.publish('limited-2');
  await vi.waitFor(() => expect([...receiver.ids].sort()).toEqual([first, second].sort()), patience);
  expect(Date.now() - asked).toBeGreaterThan(900);
});

test('410 Gone switches the webhook off, with an event and the reason', async () => {
  const receiver = await receive();
  receiver.answer = answerWith(410);
  const { id } = await lab.create(receiver.url);
  await lab.publish('gone');
  await vi.waitFor(async () => {
    expect(await webhookOf(id)).toMatchObject({
      state: 'WEBHOOK_STATE_DISABLED',
      disabledReason: 'the receiver answered 410 Gone',
    });
  }, patience);
  const types: string[] = [];
  await vi.waitFor(async () => {
    for await (const event of lab.bus.readEvents({ since: 'all', follow: false }))
      types.push(`${event.type} ${event.key}`);
    expect(types).toContain(`millrace.bridge.webhook.disabled.v1 ${id}`);
  }, patience);
  expect(receiver.requests).toHaveLength(1);
});

test('a redirect is not followed', async () => {
  const [receiver, elsewhere] = [await receive(), await receive()];
  receiver.answer = answerWith(302, { location: elsewhere.url });
  const { id } = await lab.create(receiver.url);
  await lab.publish('redirect');
  await vi.waitFor(async () => {
    expect((await deliveriesOf(id))[0]?.attempts[0]?.error).toBe('HTTP 302: redirects are not followed');
  }, patience);
  expect(elsewhere.requests).toEqual([]);
});

test('a test event tells at once how the receiver takes it', async () => {
  const receiver = await receive();
  const { id, secret } = await lab.create(receiver.url);
  expect(await lab.client.testWebhook({ id, actor: undefined })).toMatchObject({
    succeeded: true,
    attempt: { statusCode: 204 },
  });
  const { headers, body } = receiver.acknowledged[0] ?? { headers: {}, body: '' };
  expect(() => new Verifier(secret).verify(body, headers as Record<string, string>)).not.toThrow();
  expect(HTTP.toEvent({ headers, body })).toMatchObject({ type: 'millrace.bridge.webhook.tested.v1' });
  receiver.answer = answerWith(500, {}, 'oops');
  expect(await lab.client.testWebhook({ id, actor: undefined })).toMatchObject({
    succeeded: false,
    attempt: { statusCode: 500, error: 'HTTP 500: oops' },
  });
});

test.each([
  ['url', { url: 'https://10.0.0.1/' }],
  ['url', { url: 'http://example.org/' }],
  ['url', { url: '' }],
  ['filter.eventTypes[0]', { filter: { eventTypes: ['millrace.registery.*'], entities: [] } }],
  ['description', { description: 'x'.repeat(501) }],
])('a wrong %s is refused and makes nothing', async (path, request) => {
  const receiver = await receive();
  await expect(lab.create(receiver.url, request)).rejects.toThrow(path);
  expect((await lab.client.listWebhooks({ page: undefined })).webhooks).toEqual([]);
});

test('a webhook for which too much waits is switched off, and the rest can be fetched later', async () => {
  await lab.close();
  await lab.open({ MILLRACE_WEBHOOK_BACKLOG: '3' });
  const receiver = await receive();
  receiver.answer = answerWith(503, { 'retry-after': '3600' });
  const { id } = await lab.create(receiver.url);
  const since = new Date().toISOString();
  const ids = await publishMany('full', 6);
  await vi.waitFor(async () => {
    expect((await webhookOf(id))?.disabledReason).toBe('3 deliveries wait, which is the most');
  }, patience);
  expect(await deliveriesOf(id)).toHaveLength(3);
  await lab.close();
  await lab.open();
  await setActive(id, true);
  await lab.client.redeliver({
    webhookId: id,
    deliveryId: '',
    since,
    until: undefined,
    missed: true,
    actor: undefined,
  });
  expect((await webhookOf(id))?.waiting).toBe(6);
  expect(ids).toHaveLength(6);
});
