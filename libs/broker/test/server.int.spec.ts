import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureBroker, type NatsServer, startNatsServer, testBroker } from '../src/index.ts';

let storeDir: string;
const started: NatsServer[] = [];

beforeEach(async () => {
  storeDir = await mkdtemp(join(tmpdir(), 'millrace-server-'));
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
  await rm(storeDir, { recursive: true, force: true });
});

const start = async (options: object = {}) => {
  const server = await startNatsServer({ storeDir, ...options });
  started.push(server);
  return server;
};

/** The first line that the server sends: its name and limits in JSON. */
const greeting = async ({ host, port }: NatsServer): Promise<Record<string, unknown>> => {
  const socket = connect({ host, port });
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return JSON.parse(data.toString().replace(/^INFO /, '')) as Record<string, unknown>;
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const ownerProcess = () =>
  spawn(process.execPath, [fileURLToPath(new URL('broker-owner.ts', import.meta.url)), storeDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });

describe('a server', () => {
  it('answers with JetStream on a free loopback port when it is started', async () => {
    const server = await start();
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    expect(await greeting(server)).toMatchObject({
      jetstream: true,
      max_payload: 8 * 1024 * 1024,
      host: '127.0.0.1',
    });
    expect(await readFile(server.logFile, 'utf8')).toContain('Server is ready');
  });

  it('stops gracefully, leaves nothing running, and may be stopped twice', async () => {
    const server = await start();
    await server.stop();
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
    expect(await server.exited).toMatchObject({ code: 0 });
  });

  it('comes back on the same port and store after a crash', async () => {
    const broker = await testBroker();
    const { url, server } = broker;
    await broker.kill();
    expect(await server.exited).toMatchObject({ signal: 'SIGKILL' });
    await broker.start();
    expect(broker.server.url).toBe(url);
    await broker.stop();
  });

  it('is refused on a store that a living process uses', async () => {
    await start();
    await expect(startNatsServer({ storeDir })).rejects.toMatchObject({ code: 'conflict' });
  });

  it('says what its log says when it cannot start', async () => {
    const { port } = await start();
    const second = await mkdtemp(join(tmpdir(), 'millrace-server-'));
    await expect(startNatsServer({ storeDir: second, port })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('address already in use'),
    });
    await rm(second, { recursive: true });
  });

  it('says so when it is no program', async () => {
    const executable = join(storeDir, 'nothing');
    await expect(startNatsServer({ storeDir, executable })).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('ends with its parent, even when that is killed', async () => {
    const owner = ownerProcess();
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    owner.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 60_000 });
  });

  it('that was left over is ended before a new one takes its store', async () => {
    const server = await start();
    const ownerFile = join(storeDir, 'owner.json');
    const owner = JSON.parse(await readFile(ownerFile, 'utf8')) as object;
    await writeFile(ownerFile, JSON.stringify({ ...owner, ownerIdentity: 'a process that is gone' }));
    const next = await start();
    expect(await server.exited).toBeDefined();
    expect(next.pid).not.toBe(server.pid);
    expect(isAlive(next.pid)).toBe(true);
  });
});

describe('the broker', () => {
  it('is the one that NATS_URL names, and then nothing is started', async () => {
    const broker = await ensureBroker({ storeDir, env: { NATS_URL: 'nats://elsewhere:4222' } });
    expect(broker).toMatchObject({ url: 'nats://elsewhere:4222' });
    expect(broker.server).toBeUndefined();
    await broker.stop();
  });

  it('is a server of our own otherwise', async () => {
    const { NATS_URL: _, ...env } = process.env;
    const broker = await ensureBroker({ storeDir, env });
    expect(await greeting(broker.server as NatsServer)).toMatchObject({ jetstream: true });
    await broker.stop();
  });
});
