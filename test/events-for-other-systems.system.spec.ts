import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Delivery, Webhook } from '@millrace/contracts/bridge';
import { type CloudEvent, HTTP } from 'cloudevents';
import { Webhook as Verifier } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { millraceCommand } from './support/cli.ts';
import { TestInstallation } from './support/installation.ts';
import { eventually, until } from './support/wait.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const received: Received[] = [];
let status = 204;
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  received.push({ headers: request.headers, body });
  response.writeHead(status).end();
});

let millrace: TestInstallation;
let url: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  millrace = await TestInstallation.start({
    separate: false,
    env: { MILLRACE_WEBHOOK_ALLOW: '127.0.0.1', MILLRACE_WEBHOOK_RETRIES: '50ms' },
  });
});

afterAll(async () => {
  await millrace?.stop();
  server.closeAllConnections();
  server.close();
});

const run = (...args: string[]) =>
  millraceCommand(args, { dataDir: millrace.dataDir, cwd: millrace.dataDir });

/** What a command answers with `--json`. */
const answerOf = async <T>(...args: string[]): Promise<T> => {
  const { exitCode, stdout, stderr } = await run(...args, '--json');
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout) as T;
};

const linesOf = async (
  ...args: string[]
): Promise<{ streamSequence: number; id: string; time: string }[]> => {
  const { exitCode, stdout, stderr } = await run(...args, '--json');
  expect(exitCode, stderr).toBe(0);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
};

/** Causes an event by switching a reaction; resolves its id. */
const causeEvent = async (enabled: boolean): Promise<string> => {
  const [reaction] = (await millrace.client.registry.listReactions()).reactions;
  const before = millrace.log.events.length;
  await millrace.client.registry.setReaction({ name: reaction?.name ?? '', enabled });
  return until(
    'the event',
    () =>
      millrace.log.events.slice(before).find(({ type }) => type === 'millrace.registry.reaction.switched.v1')
        ?.id,
  );
};

test('a webhook lives its life on the command line', async () => {
  const refused = await run('webhooks', 'create', 'http://example.org/');
  expect(refused).toMatchObject({ exitCode: 2 });
  expect(refused.stderr).toContain('url: must begin with https://');

  const created = await answerOf<{ webhook: Webhook; secret: string }>(
    'webhooks',
    'create',
    url,
    '--type',
    'millrace.registry.*',
    '--description',
    'of the test',
  );
  const { id } = created.webhook;
  expect(created.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect((await run('webhooks', 'test', id)).stdout).toContain('accepted with 204');

  const first = await causeEvent(false);
  await eventually('the delivery', () =>
    expect(received.some(({ body }) => body.includes(first))).toBe(true),
  );
  const { headers, body } = received.at(-1) ?? { headers: {}, body: '' };
  expect(() => new Verifier(created.secret).verify(body, headers as Record<string, string>)).not.toThrow();
  expect(HTTP.toEvent({ headers, body }) as CloudEvent<unknown>).toMatchObject({ id: first });

  status = 500;
  const second = await causeEvent(true);
  const failed = await until('the failure', async () => {
    const found = await answerOf<Delivery[]>('webhooks', 'deliveries', id, '--state', 'failed');
    return found[0];
  });
  expect(failed).toMatchObject({ eventId: second, attemptCount: 2 });
  expect(await run('webhooks', 'test', id)).toMatchObject({ exitCode: 5 });
  status = 204;
  expect((await run('webhooks', 'redeliver', id, '--failed')).stdout).toContain('1 are delivered again');
  await eventually('the second delivery', async () => {
    const [delivery] = await answerOf<Delivery[]>('webhooks', 'deliveries', id, '-n', '1');
    expect(delivery).toMatchObject({ eventId: second, state: 'DELIVERY_STATE_SUCCEEDED', redeliveries: 1 });
  });

  const rotated = await answerOf<{ secret: string }>('webhooks', 'rotate-secret', id, '--overlap', '0');
  expect(rotated.secret).not.toBe(created.secret);
  expect((await run('webhooks', 'disable', id, '--reason', 'holiday')).stdout).toContain('is off');
  expect((await run('webhooks', 'list')).stdout).toContain('paused');
  expect((await run('webhooks', 'enable', id)).stdout).toContain('is on');
  const shown = await run('webhooks', 'show', id);
  expect(shown.stdout).toContain('of the test');
  for (const secret of [created.secret, rotated.secret]) expect(shown.stdout).not.toContain(secret);
  expect((await run('webhooks', 'redeliver', id)).exitCode).toBe(2);
  expect((await run('webhooks', 'delete', id)).exitCode).toBe(0);
  expect((await run('webhooks', 'show', id)).exitCode).toBe(3);
});

test('the past is replayed from a time or a place in the stream, and ends', async () => {
  const all = await linesOf('events', 'replay');
  expect(all.length).toBeGreaterThan(3);
  expect(all.map(({ streamSequence }) => streamSequence)).toEqual(all.map((_, index) => index + 1));
  const third = all[2];
  if (third === undefined) throw new Error('there are too few events');
  expect((await linesOf('events', 'replay', '--from', '3')).slice(0, 2)).toEqual(all.slice(2, 4));
  expect((await linesOf('events', 'replay', '--from', '3', '-n', '1'))[0]?.id).toBe(third.id);
  const later = await linesOf('events', 'replay', '--since', '1h', '--until', third.time);
  expect(later.every(({ time }) => time < third.time)).toBe(true);
  expect((await linesOf('events', 'tail', '--from', '2', '-n', '2')).map(({ id }) => id)).toEqual(
    all.slice(1, 3).map(({ id }) => id),
  );
  expect(await linesOf('events', 'replay', '--filter', 'millrace.evt.deployment.>')).toEqual([]);
  expect((await run('events', 'replay', '--from', '1', '--since', '1h')).exitCode).toBe(2);
});
