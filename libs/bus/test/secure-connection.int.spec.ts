import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NatsServer, startNatsServer } from '@millrace/broker';
import { createCertificates } from '@millrace/certificates';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Bus,
  type BusOptions,
  connectBus,
  nkeyFileOf,
  nkeyFiles,
  serverAccounts,
} from '../src/index.ts';
import { until } from './fixture.ts';

let directory: string;
let server: NatsServer | undefined;
let bus: Bus | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-secure-'));
});
afterEach(async () => {
  await bus?.drain();
  bus = undefined;
  await server?.stop();
  server = undefined;
  await rm(directory, { recursive: true, force: true });
});

const start = async (more: Partial<Parameters<typeof startNatsServer>[0]>): Promise<NatsServer> => {
  server = await startNatsServer({ storeDir: join(directory, 'store'), ...more });
  return server;
};

/** Short, so that a refusal is told soon. */
const connectTimeoutMs = 500;

const connectAs = async (url: string, more: Partial<BusOptions>): Promise<Bus> => {
  bus = await connectBus({ url, service: 'training', connectTimeoutMs, ...more });
  return bus;
};

const certificates = async (name: string): Promise<string> => {
  const made = join(directory, name);
  await createCertificates({ directory: made, services: ['training'], now: new Date() });
  return made;
};

const serverTls = (made: string) => ({
  cert: join(made, 'nats', 'tls.crt'),
  key: join(made, 'nats', 'tls.key'),
  ca: join(made, 'nats', 'ca.crt'),
});
const clientTls = (made: string) => ({
  ca: join(made, 'training', 'ca.crt'),
  cert: join(made, 'training', 'tls.crt'),
  key: join(made, 'training', 'tls.key'),
});

describe('a broker that speaks TLS and wants certificates', () => {
  it('is connected to by who shows one of its authority', async () => {
    const made = await certificates('a');
    const { url } = await start({ tls: serverTls(made) });
    const { internals } = await connectAs(url, { tls: clientTls(made) });
    expect(internals.nc.info?.tls_required).toBe(true);
    expect(internals.nc.info?.tls_verify).toBe(true);
  });

  it('is not connected to without a certificate, nor when its own is of an unknown authority', async () => {
    const made = await certificates('a');
    const other = await certificates('b');
    const { url } = await start({ tls: serverTls(made) });
    const { ca } = clientTls(made);
    await expect(connectAs(url, { tls: { ca } })).rejects.toMatchObject({ code: 'unavailable' });
    await expect(connectAs(url, { tls: clientTls(other) })).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('is not fallen back from to plain text', async () => {
    const made = await certificates('a');
    const { url } = await start({});
    await expect(connectAs(url, { tls: clientTls(made) })).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('is connected to again after both sides got certificates of another authority', async () => {
    const live = join(directory, 'live');
    await cp(await certificates('a'), live, { recursive: true });
    const { url, port } = await start({ tls: serverTls(live) });
    const connected = await connectAs(url, { tls: clientTls(live) });
    await cp(await certificates('b'), live, { recursive: true });
    await server?.kill();
    await start({ tls: serverTls(live), port });
    await until(() => expect(connected.status()).toMatchObject({ connected: true, reconnects: 1 }));
    expect((await connected.internals.jsm.streams.info('EVENTS')).config.name).toBe('EVENTS');
  });

  it('takes a new certificate of its own without a restart', async () => {
    const live = join(directory, 'live');
    await cp(await certificates('a'), live, { recursive: true });
    const { url, reload } = await start({ tls: serverTls(live) });
    await cp(await certificates('b'), live, { recursive: true });
    reload();
    await until(async () => void (await connectAs(url, { tls: clientTls(live) })));
  });
});

describe('a broker with users', () => {
  const keys = () => join(directory, 'keys');
  const credentials = () => ({ nkeyFile: nkeyFileOf(keys(), 'admin') });

  it('refuses who has no key, or one that it does not know, and no error holds a secret', async () => {
    const authorization = serverAccounts(await nkeyFiles(keys()));
    const { url } = await start({ authorization });
    await expect(connectAs(url, {})).rejects.toMatchObject({ code: 'failed_precondition' });
    const strange = join(directory, 'strange');
    await nkeyFiles(strange);
    const nkeyFile = nkeyFileOf(strange, 'admin');
    const seed = (await readFile(nkeyFile, 'utf8')).trim();
    const refused = await connectAs(url, { credentials: { nkeyFile } }).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code: 'failed_precondition' });
    expect(JSON.stringify(refused) + String(refused)).not.toContain(seed);
  });

  it('says which file of credentials cannot be read', async () => {
    const { url } = await start({ authorization: serverAccounts(await nkeyFiles(keys())) });
    await expect(connectAs(url, { credentials: { nkeyFile: '/does/not/exist' } })).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('/does/not/exist'),
    });
  });

  it('lets back in who has got a new key by then', async () => {
    const { url, port } = await start({ authorization: serverAccounts(await nkeyFiles(keys())) });
    const connected = await connectAs(url, { credentials: credentials() });
    await rm(nkeyFileOf(keys(), 'admin'));
    const renewed = serverAccounts(await nkeyFiles(keys()));
    await server?.kill();
    await start({ authorization: renewed, port });
    await until(() => expect(connected.status()).toMatchObject({ connected: true, reconnects: 1 }));
  });

  it('takes passwords as well, from a file', async () => {
    const passwordFile = join(directory, 'password');
    await writeFile(passwordFile, 'correct horse\n');
    const proofs = await nkeyFiles(keys());
    const { url } = await start({
      authorization: serverAccounts({ ...proofs, admin: { password: 'correct horse' } }),
    });
    await connectAs(url, { credentials: { user: 'admin', passwordFile } });
    await expect(connectAs(url, { credentials: { user: 'admin', password: 'wrong' } })).rejects.toMatchObject(
      { code: 'failed_precondition' },
    );
  });
});
