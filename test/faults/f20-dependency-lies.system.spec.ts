import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { createCertificates, tlsFilesIn } from '@millrace/certificates';
import { createClient, type MillraceClient } from '@millrace/client';
import { RegistryServiceService, SetPolicyRequest } from '@millrace/contracts/registry';
import { asMillraceError, ErrorCode } from '@millrace/errors';
import { apiPrefix } from '@millrace/rest';
import { PeerChannel } from '@millrace/service-kit';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestInstallation } from '../support/installation.ts';
import { eventually } from '../support/wait.ts';
import { acknowledgingLies, type Lie, LyingReceiver, refusingLies } from './lying-receiver.ts';
import { submitQuickRun } from './quick-run.ts';

/** Bytes of a flood that sockets may hold on their way; what is answered is a gigabyte. */
const floodLimit = 64 * 1024 * 1024;

let millrace: TestInstallation;
let certificates: string;
const receivers: LyingReceiver[] = [];

const receive = async (name: string, lie: Lie): Promise<LyingReceiver> => {
  const receiver = await LyingReceiver.start(name, lie);
  receivers.push(receiver);
  return receiver;
};

/** Speaks TLS with a certificate of an authority that nobody knows. */
const receiveUntrusted = async (): Promise<LyingReceiver> => {
  await createCertificates({ directory: certificates, services: ['gateway'], now: new Date() });
  const { certificate, key } = tlsFilesIn(certificates, 'gateway');
  const tls = { cert: await readFile(certificate), key: await readFile(key) };
  const receiver = await LyingReceiver.start('has an untrusted certificate', () => {}, tls);
  receivers.push(receiver);
  return receiver;
};

const createWebhook = async (url: string): Promise<string> => {
  const { webhook } = await millrace.client.bridge.createWebhook({
    url,
    filter: { eventTypes: ['millrace.*.reaction.switched.v1'] },
  });
  return webhook?.id ?? '';
};

/** Causes events of several entities by switching a reaction of each service off and on; resolves their ids. */
const causeEvents = async (): Promise<readonly string[]> => {
  const services = [millrace.client.registry, millrace.client.monitoring, millrace.client.deployment];
  let caused = 0;
  for (const service of services) {
    const [reaction] = (await service.listReactions()).reactions;
    if (reaction === undefined) continue;
    for (const enabled of [!reaction.enabled, reaction.enabled]) {
      await service.setReaction({ name: reaction.name, enabled });
      caused += 1;
    }
  }
  expect(caused).toBeGreaterThanOrEqual(4);
  return eventually('the events', () => {
    const found = millrace.log.events.filter(({ type }) => type.includes('.reaction.switched.'));
    expect(found).toHaveLength(caused);
    return found.map(({ id }) => id);
  });
};

beforeAll(async () => {
  certificates = await mkdtemp(join(tmpdir(), 'millrace-f20-'));
  millrace = await TestInstallation.start({
    separate: false,
    env: {
      MILLRACE_WEBHOOK_ALLOW: '127.0.0.0/8',
      MILLRACE_WEBHOOK_TIMEOUT_MS: '1000',
      MILLRACE_WEBHOOK_RETRIES: Array<string>(30).fill('300ms').join(','),
    },
  });
});

afterAll(async () => {
  for (const receiver of receivers) await receiver.stop();
  await millrace?.stop();
  if (certificates !== undefined) await rm(certificates, { recursive: true, force: true });
});

test('receivers that lie cost their own deliveries time, and lose or double nothing', async () => {
  const honest = await receive('is honest', () => {});
  honest.honest = true;
  const refusing = await Promise.all(Object.entries(refusingLies).map(([name, lie]) => receive(name, lie)));
  const acknowledging = await Promise.all(
    Object.entries(acknowledgingLies).map(([name, lie]) => receive(name, lie)),
  );
  const untrusted = await receiveUntrusted();
  const all = [honest, ...refusing, ...acknowledging, untrusted];
  const webhooks = new Map<LyingReceiver, string>();
  for (const receiver of all) webhooks.set(receiver, await createWebhook(receiver.url));

  const ids = await causeEvents();
  await eventually('the deliveries of the honest and of those whose status told the truth', () => {
    for (const { acknowledged } of [honest, ...acknowledging])
      expect([...acknowledged].sort()).toEqual([...ids].sort());
  });
  await eventually('attempts at each of the others', () => {
    for (const { requests } of refusing) expect(requests.length).toBeGreaterThan(1);
  });
  const reasons = new Map<string, string>();
  await eventually('the reasons in the log', async () => {
    for (const receiver of [...refusing, untrusted]) {
      const webhookId = webhooks.get(receiver) ?? '';
      const { deliveries } = await millrace.client.bridge.listDeliveries({ webhookId });
      const error = deliveries.flatMap(({ attempts }) => attempts).at(0)?.error ?? '';
      expect(error, receiver.name).not.toBe('');
      reasons.set(receiver.name, error);
      expect(deliveries.some(({ state }) => state === 'DELIVERY_STATE_SUCCEEDED')).toBe(false);
    }
  });
  expect(reasons.get('has an untrusted certificate')).toMatch(/certificate/i);
  expect(reasons.get('hangs')).toBe('no answer within 1000 ms');

  for (const receiver of refusing) receiver.honest = true;
  await eventually('the deliveries that are left', () => {
    for (const { acknowledged } of refusing)
      expect([...new Set(acknowledged)].sort()).toEqual([...ids].sort());
  });
  await eventually('the end of what waits', async () => {
    for (const receiver of [honest, ...refusing, ...acknowledging]) {
      const { webhook } = await millrace.client.bridge.getWebhook({ id: webhooks.get(receiver) ?? '' });
      expect(webhook?.waiting, receiver.name).toBe(0);
    }
  });
  for (const { name, requests, acknowledged, bytesTaken } of all) {
    const found = new Set(acknowledged).size;
    const doubled = acknowledged.length - found;
    const why = reasons.get(name) ?? '';
    console.log(
      `F20 ${name}: tried ${requests.length}, acknowledged ${acknowledged.length}, found ${found}, doubled ${doubled}` +
        `${bytesTaken > 0 ? `, ${Math.round(bytesTaken / 1024)} KiB taken` : ''}${why === '' ? '' : ` (${why})`}`,
    );
    expect(doubled).toBe(0);
    expect(bytesTaken).toBeLessThan(floodLimit);
  }
  expect(untrusted.requests).toEqual([]);
});

/** How a peer ends a call whose work it has done. */
const endings = {
  'answers UNAVAILABLE': (_: Server, answer: sendUnaryData<unknown>) =>
    answer({ code: status.UNAVAILABLE, details: 'try again' }),
  'drops the connection': (server: Server) => server.forceShutdown(),
  'never answers': () => {},
};

test.each(Object.entries(endings))(
  'a call to a peer that does the work and then %s is not made twice',
  async (name, end) => {
    let executed = 0;
    const server = new Server();
    server.addService(
      RegistryServiceService as never,
      {
        setPolicy: (_: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<unknown>) => {
          executed += 1;
          end(server, answer);
        },
      } as never,
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    const channel = new PeerChannel('registry', () => `127.0.0.1:${port}`);
    const registry = channel.service(RegistryServiceService);
    const tried = name === 'answers UNAVAILABLE' ? 20 : 1;
    const codes = new Set<string>();
    for (let call = 0; call < tried; call += 1) {
      const asked = registry.setPolicy(SetPolicyRequest.fromPartial({ model: 'm' }), { timeoutMs: 1_500 });
      codes.add(
        asMillraceError(
          await asked.then(
            () => undefined,
            (thrown: unknown) => thrown,
          ),
        ).code,
      );
    }
    channel.close();
    server.forceShutdown();
    console.log(
      `F20 peer ${name}: tried ${tried}, executed ${executed}, told the caller ${[...codes].join()}`,
    );
    expect(executed).toBe(tried);
    expect([...codes]).toEqual([name === 'never answers' ? ErrorCode.timedOut : ErrorCode.unavailable]);
  },
);

/** Passes every request on to the gateway, and loses the first answers to submissions. */
const forgetfulProxy = async (target: string, lost: number) => {
  const submissions: number[] = [];
  const server = createServer(async (incoming, response) => {
    const body: Buffer[] = [];
    for await (const chunk of incoming) body.push(chunk as Buffer);
    const { host: _, connection: _c, 'transfer-encoding': _t, ...headers } = incoming.headers;
    const answer = await request(`${target}${incoming.url}`, {
      method: incoming.method as 'GET',
      headers: headers as Record<string, string>,
      body: body.length === 0 ? null : Buffer.concat(body),
    });
    const text = Buffer.from(await answer.body.arrayBuffer());
    const isSubmission = incoming.method === 'POST' && incoming.url === `${apiPrefix}/runs`;
    if (isSubmission) submissions.push(answer.statusCode);
    if (isSubmission && submissions.length <= lost) {
      response.writeHead(503, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { code: 'unavailable', message: 'the answer was lost' } }));
      return;
    }
    response.writeHead(answer.statusCode, { 'content-type': String(answer.headers['content-type']) });
    response.end(text);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    submissions,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

test('a submission whose answers get lost is repeated with its key and takes effect once', async () => {
  const lost = 3;
  const proxy = await forgetfulProxy(millrace.url, lost);
  const client: MillraceClient = createClient({ url: proxy.url, user: 'ada' });
  const id = await submitQuickRun({ client } as TestInstallation, 'f20-once', 1);
  const { runs } = await millrace.client.pipeline.listRuns({ page: { limit: 100 } });
  await client.close();
  proxy.stop();
  console.log(
    `F20 lost answers: tried ${proxy.submissions.length}, executed ${proxy.submissions.filter((code) => code === 200).length}, found ${runs.length} run, doubled ${runs.length - 1}`,
  );
  expect(proxy.submissions).toEqual(Array<number>(lost + 1).fill(200));
  expect(runs.map((run) => run.id)).toEqual([id]);
  await millrace.client.pipeline.cancelRun({ id, actor: { reason: 'not needed' } });
});
