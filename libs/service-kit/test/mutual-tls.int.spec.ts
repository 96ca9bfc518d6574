import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  beginAuthorityChange,
  createCertificates,
  endAuthorityChange,
  renewCertificates,
  revokeCertificate,
  TlsStore,
  tlsFilesIn,
} from '@millrace/certificates';
import { RegistryServiceService } from '@millrace/contracts/registry';
import { ErrorCode, type MillraceError } from '@millrace/errors';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RpcHandlers, rpc } from '../src/index.ts';
import { TlsLab } from './tls-lab.ts';

type Handlers = RpcHandlers<typeof RegistryServiceService>;

const registry = (getModel: Handlers['getModel'] = async () => ({ model: undefined })) => [
  rpc(RegistryServiceService, { getModel } as Handlers),
];

let lab: TlsLab;
beforeEach(async () => {
  lab = await TlsLab.open();
});
afterEach(() => lab.close());

const errorOf = (failing: Promise<unknown>): Promise<MillraceError> =>
  failing.then(
    () => Promise.reject(new Error('it did not fail')),
    (thrown: MillraceError) => thrown,
  );

/** The registry with its certificate, or another's. */
const serve = async (tls?: TlsStore, getModel?: Handlers['getModel']) =>
  lab.serve({ bindings: registry(getModel), tls: tls ?? (await lab.tls('registry')) });

const client = (port: number, tls: TlsStore | undefined) =>
  lab.channel(port, tls).service(RegistryServiceService);

const call = (port: number, tls: TlsStore) => client(port, tls).getModel({ name: 'flights' });

/** How a call fails that gets no connection: at its deadline, as it waits for its peer, which may be starting. */
const refused = async (port: number, tls: TlsStore | undefined): Promise<MillraceError> => {
  const { getModel } = client(port, tls);
  return vi.waitFor(
    async () => {
      const error = await errorOf(getModel({ name: 'flights' }, { timeoutMs: 500 }));
      expect(error).toMatchObject({ code: ErrorCode.unavailable });
      if (tls !== undefined) expect(error.message).toContain('registry: no TLS connection: ');
      return error;
    },
    { timeout: 60_000 },
  );
};

const days = (count: number): Date => new Date(Date.now() + count * 86_400_000);

describe('a call by mutual TLS', () => {
  it('is answered', async () => {
    const { port } = await serve();
    expect(await call(port, await lab.tls('gateway'))).toEqual({ model: undefined });
  });

  it('without a certificate is refused', async () => {
    const { port } = await serve();
    const ca = await readFile(tlsFilesIn(lab.directory, 'gateway').ca);
    const client = new Client(`127.0.0.1:${port}`, credentials.createSsl(ca));
    lab.onClose(() => client.close());
    const error = await raw(client);
    expect(error.code).toBe(14);
  });

  it('with a certificate of another authority is refused, and says why', async () => {
    const { port } = await serve();
    const foreign = await lab.other('foreign');
    const tls = await lab.tls('gateway', foreign, { ca: tlsFilesIn(lab.directory, 'gateway').ca });
    const error = await refused(port, tls);
    expect(error.message).toMatch(/refuses our certificate|ECONNRESET/);
    expect(error.hint).toContain('millrace certs show');
  });

  it('to a server of another authority is not made', async () => {
    const foreign = await lab.other('foreign');
    const { port } = await serve(await lab.tls('registry', foreign));
    const error = await refused(port, await lab.tls('gateway'));
    expect(error.message).toMatch(/self-signed certificate|unable to (get|verify)/);
  });

  it('with an expired certificate is refused, and to a server with one is not made', async () => {
    const stale = await lab.other('stale', days(-10), 5);
    const { port } = await serve(
      await TlsStore.open({
        ...tlsFilesIn(lab.directory, 'registry'),
        ca: tlsFilesIn(stale, 'registry').ca,
        crl: tlsFilesIn(stale, 'registry').crl,
      }),
    );
    const trusting = await lab.tls('gateway', stale, { ca: tlsFilesIn(lab.directory, 'gateway').ca });
    expect((await refused(port, trusting)).message).toMatch(/refuses our certificate|ECONNRESET/);

    const server = await serve(await lab.tls('registry', stale));
    const valid = await lab.tls('gateway', lab.directory, { ca: tlsFilesIn(stale, 'gateway').ca });
    expect((await refused(server.port, valid)).message).toContain('certificate has expired');
  });

  it('to another service than the one that was meant is not made', async () => {
    const { port } = await serve(await lab.tls('training'));
    const error = await refused(port, await lab.tls('gateway'));
    expect(error.message).toContain('its certificate is that of service training, not of service registry');
  });

  it('of a revoked certificate is refused, from when the list says so', async () => {
    const tls = await lab.tls('registry', lab.directory, { crl: true });
    const { port } = await serve(tls);
    const gateway = await lab.tls('gateway');
    await call(port, gateway);
    await revokeCertificate(lab.directory, 'gateway', new Date());
    await tls.refresh();
    expect((await refused(port, gateway)).message).toMatch(/refuses our certificate|ECONNRESET/);

    await renewCertificates({ directory: lab.directory, names: ['gateway'], now: new Date() });
    await gateway.refresh();
    await call(port, gateway);
  });

  it('to a revoked server is not made', async () => {
    const { port } = await serve();
    await revokeCertificate(lab.directory, 'registry', new Date());
    const error = await refused(port, await lab.tls('gateway', lab.directory, { crl: true }));
    expect(error.message).toContain('certificate revoked');
  });

  it('is not made without TLS to a server that wants it, nor with it to one that has none', async () => {
    const { port } = await serve();
    await refused(port, undefined);
    const plain = await lab.serve({ bindings: registry() });
    await refused(plain.port, await lab.tls('gateway'));
  });
});

const raw = (client: Client, metadata = new Metadata()): Promise<ServiceError> => {
  const { path, requestSerialize, responseDeserialize } = RegistryServiceService.getModel;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { name: 'flights' },
      metadata,
      { deadline: Date.now() + 10_000 },
      (error) => (error === null ? reject(new Error('it did not fail')) : resolve(error)),
    );
  });
};

describe('who calls', () => {
  it('is refused by name when the table of callers does not have it', async () => {
    const { port } = await serve();
    const error = await errorOf(call(port, await lab.tls('training')));
    expect(error).toMatchObject({
      code: ErrorCode.denied,
      message: 'service training may not call millrace.registry.v1.RegistryService/GetModel',
    });
  });

  it('is what the certificate says, whatever metadata claims', async () => {
    let calls = 0;
    const { port } = await serve(undefined, async () => {
      calls += 1;
      return { model: undefined };
    });
    const { ca, certificate, key } = tlsFilesIn(lab.directory, 'training');
    const [authority, own, ownKey] = await Promise.all([ca, certificate, key].map((file) => readFile(file)));
    const trusting = credentials.createSsl(authority, ownKey, own);
    const client = new Client(`127.0.0.1:${port}`, trusting);
    lab.onClose(() => client.close());
    const metadata = new Metadata();
    const uri = 'spiffe://millrace/service/gateway';
    for (const name of ['caller', 'x-caller', 'service', 'millrace-service', 'millrace-caller', 'identity']) {
      metadata.set(name, 'gateway');
      metadata.set(`${name}-uri`, uri);
    }
    metadata.set('x-forwarded-client-cert', `By=${uri};URI=${uri}`);
    metadata.set('authorization', 'Bearer gateway');
    const error = await raw(client, metadata);
    expect(error.code).toBe(7);
    expect(error.details).toContain('service training may not call');
    expect(calls).toBe(0);
  });

  it('may ask for health with any valid certificate', async () => {
    const { port } = await serve();
    const { ca, certificate, key } = tlsFilesIn(lab.directory, 'operator');
    const [authority, own, ownKey] = await Promise.all([ca, certificate, key].map((file) => readFile(file)));
    const client = new Client(`127.0.0.1:${port}`, credentials.createSsl(authority, ownKey, own));
    lab.onClose(() => client.close());
    const status = await new Promise<Buffer>((resolve, reject) =>
      client.makeUnaryRequest(
        '/grpc.health.v1.Health/Check',
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        Buffer.alloc(0),
        { deadline: Date.now() + 10_000 },
        (error, answer) => (error === null && answer !== undefined ? resolve(answer) : reject(error)),
      ),
    );
    // Field 1, SERVING.
    expect([...status]).toEqual([8, 1]);
    expect((await raw(client)).code).toBe(7);
  });
});

/** The serial number that a server shows to a new connection. */
const shownBy = async (port: number, tls: TlsStore): Promise<string> => {
  const socket = connect({
    host: '127.0.0.1',
    port,
    secureContext: tls.current.context,
    ALPNProtocols: ['h2'],
    checkServerIdentity: () => undefined,
  });
  lab.onClose(() => socket.destroy());
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const serial = (socket as TLSSocket).getPeerX509Certificate()?.serialNumber ?? '';
  socket.destroy();
  return serial;
};

describe('certificates that are replaced while services run', () => {
  it('are used by new handshakes; calls under way and connections go on', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const tls = await lab.tls('registry');
    const { port } = await serve(tls, async ({ name }) => {
      if (name === 'slow') await held;
      return { model: undefined };
    });
    const gateway = await lab.tls('gateway');
    const { getModel } = lab.channel(port, gateway).service(RegistryServiceService);
    const slow = getModel({ name: 'slow' });
    await getModel({ name: 'first' });
    const before = await shownBy(port, gateway);
    await renewCertificates({ directory: lab.directory, all: true, now: new Date() });
    await tls.refresh();
    expect(await shownBy(port, gateway)).not.toBe(before);
    await getModel({ name: 'on the old connection' });
    release();
    await slow;
    // With its old certificate, which is still valid, and with its new one.
    await call(port, gateway);
    await gateway.refresh();
    await call(port, gateway);
  });

  it('are noticed without being told', async () => {
    const store = await TlsStore.open(tlsFilesIn(lab.directory, 'registry'), { pollMs: 10 });
    lab.onClose(() => store.close());
    const { port } = await serve(store);
    const gateway = await lab.tls('gateway');
    const before = await shownBy(port, gateway);
    await renewCertificates({ directory: lab.directory, all: true, now: new Date() });
    await expect.poll(() => shownBy(port, gateway), { timeout: 60_000 }).not.toBe(before);
  });

  it('change their authority by an overlap without a failed call', async () => {
    const [registryTls, gatewayTls] = [await lab.tls('registry'), await lab.tls('gateway')];
    const { port } = await serve(registryTls);
    const everyone = async () => {
      await call(port, gatewayTls);
      await registryTls.refresh();
      await call(port, gatewayTls);
      await gatewayTls.refresh();
      await call(port, gatewayTls);
    };
    const before = await shownBy(port, gatewayTls);
    const old = await lab.other('kept');
    await copyFile(join(lab.directory, 'gateway', 'tls.crt'), join(old, 'gateway', 'tls.crt'));
    await copyFile(join(lab.directory, 'gateway', 'tls.key'), join(old, 'gateway', 'tls.key'));
    await beginAuthorityChange(lab.directory, new Date());
    await everyone();
    await renewCertificates({ directory: lab.directory, now: new Date() });
    await everyone();
    await endAuthorityChange(lab.directory);
    await everyone();
    expect(await shownBy(port, gatewayTls)).not.toBe(before);
    const ofOld = await lab.tls('gateway', old, { ca: tlsFilesIn(lab.directory, 'gateway').ca });
    await refused(port, ofOld);
  });

  it('are warned of on their last day, each once', async () => {
    const short = await lab.other('short', new Date(), 1);
    const warnings: Date[] = [];
    const store = await TlsStore.open(tlsFilesIn(short, 'registry'), {
      pollMs: 10,
      onExpiring: (expires) => warnings.push(expires),
    });
    lab.onClose(() => store.close());
    await expect.poll(() => warnings.length, { timeout: 60_000 }).toBe(1);
    let changes = 0;
    store.onChange(() => {
      changes += 1;
    });
    await renewCertificates({ directory: short, all: true, days: 90, now: new Date() });
    await expect.poll(() => changes, { timeout: 60_000 }).toBeGreaterThan(0);
    expect(warnings).toHaveLength(1);
  });

  it('are left alone while they do not fit together, which is told once', async () => {
    const problems: string[] = [];
    const files = tlsFilesIn(lab.directory, 'registry');
    const store = await TlsStore.open(files, { pollMs: 3_600_000, onProblem: (text) => problems.push(text) });
    lab.onClose(() => store.close());
    const { current } = store;
    const [certificate, key] = [await readFile(files.certificate), await readFile(files.key, 'utf8')];
    await createCertificates({ directory: join(lab.root, 'next'), services: ['registry'], now: new Date() });
    const next = tlsFilesIn(join(lab.root, 'next'), 'registry');
    await copyFile(next.certificate, files.certificate);
    await store.refresh();
    await store.refresh();
    expect(store.current).toBe(current);
    expect(problems).toEqual([expect.stringContaining('is not the key of the certificate')]);
    expect(problems.join()).not.toContain(key.split('\n')[1]);
    await writeFile(files.certificate, 'nonsense');
    await store.refresh();
    expect(problems[1]).toContain('is no certificate');
    await writeFile(files.certificate, certificate);
    await store.refresh();
    expect(problems).toHaveLength(2);
    expect(store.current.identity).toEqual({ kind: 'service', name: 'registry' });
  });
});
