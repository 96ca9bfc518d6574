import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestBroker, testBroker } from '@millrace/broker';
import { createCertificates } from '@millrace/certificates';
import { serviceNames } from '@millrace/service-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { greetingOf } from '../src/doctor/broker-greeting.ts';
import { localFindings } from '../src/doctor/local-findings.ts';

let folder: string;
let broker: TestBroker;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-doctor-'));
  broker = await testBroker();
});
afterAll(async () => {
  await broker?.stop();
  await rm(folder, { recursive: true, force: true });
});

const find = async (dataDir: string, env: NodeJS.ProcessEnv, check: string) =>
  (await localFindings(dataDir, { MILLRACE_PORT: '0', ...env })).find((item) => item.check.startsWith(check));

it('finds a broker by its greeting, and tells when it is stopped', async () => {
  const env = { NATS_URL: broker.url };
  expect(await find(folder, env, 'nats-server')).toMatchObject({
    state: 'ok',
    found: expect.stringContaining(broker.url),
  });
  await broker.kill();
  expect(await find(folder, env, 'nats-server')).toMatchObject({
    state: 'fail',
    found: expect.stringContaining('ECONNREFUSED'),
    advice: expect.stringContaining('NATS_URL'),
  });
});

it('tells what is no broker from one that does not answer', async () => {
  const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  await expect(greetingOf(`127.0.0.1:${port}`)).rejects.toThrow(/no NATS server/);
  server.close();
});

it('finds certificates that have ended', async () => {
  const dataDir = join(folder, 'expired');
  await createCertificates({
    directory: join(dataDir, 'certificates'),
    services: serviceNames,
    now: new Date('2020-01-01T00:00:00Z'),
  });
  const finding = await find(dataDir, {}, 'certificate');
  expect(finding).toMatchObject({
    state: 'fail',
    found: expect.stringMatching(/^ended 20/),
    advice: expect.stringContaining('certs renew'),
  });
});

it('tells a port that another program has, a directory that cannot be, and blobs that are not reached', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = String(typeof address === 'object' ? address?.port : 0);
  expect(await find(folder, { MILLRACE_PORT: port }, 'port')).toMatchObject({
    state: 'warn',
    advice: expect.stringContaining('--port'),
  });
  server.close();
  expect(await find('/dev/null/data', {}, 'data directory')).toMatchObject({
    state: 'fail',
    advice: expect.stringContaining('--data-dir'),
  });
  expect(await find(folder, { MILLRACE_BLOBS_URL: 'nowhere:' }, 'blob store')).toMatchObject({
    state: 'fail',
    advice: expect.stringContaining('storage.md'),
  });
});
