import { type TestBroker, testBroker } from '@millrace/broker';
import { renewCertificates, TlsStore, tlsFilesIn } from '@millrace/certificates';
import { RegistryServiceService } from '@millrace/contracts/registry';
import { ErrorCode, NotFound } from '@millrace/errors';
import { buildConnector, Client, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Env,
  type RpcHandlers,
  type RunningService,
  type Runtime,
  readSettings,
  rpc,
  type ServiceModule,
  type ServiceName,
  startService,
} from '../src/index.ts';
import { TlsLab } from './tls-lab.ts';

let broker: TestBroker;
let lab: TlsLab;
beforeAll(async () => {
  broker = await testBroker();
  lab = await TlsLab.open(['registry', 'gateway', 'training']);
});
afterAll(async () => {
  await lab.close();
  await broker.stop();
});

const running = new Map<ServiceName, RunningService>();
const addresses = (name: ServiceName, listener: 'grpc' | 'http'): string => {
  const service = running.get(name);
  return `127.0.0.1:${(listener === 'grpc' ? service?.grpcPort : service?.httpPort) ?? 1}`;
};

const tlsEnv = (holder: string): Env => {
  const { ca, certificate, key, crl } = tlsFilesIn(lab.directory, holder);
  return {
    MILLRACE_TLS_CA: ca,
    MILLRACE_TLS_CERT: certificate,
    MILLRACE_TLS_KEY: key,
    MILLRACE_TLS_CRL: crl,
  };
};

const start = async (module: ServiceModule, more: Env): Promise<RunningService> => {
  const env: Env = {
    NATS_URL: broker.url,
    MILLRACE_DATA_DIR: lab.root,
    MILLRACE_GRPC_PORT: '0',
    MILLRACE_HTTP_PORT: '0',
    MILLRACE_LOG_LEVEL: 'silent',
    ...more,
  };
  const service = await startService(module, readSettings(module.name, env, addresses), env);
  lab.onClose(() => service.stop());
  running.set(module.name, service);
  return service;
};

const registry: ServiceModule = {
  name: 'registry',
  setup: async () => ({
    rpc: [
      rpc(RegistryServiceService, {
        getModel: ({ name }: { name: string }) => Promise.reject(new NotFound(`there is no model ${name}`)),
      } as unknown as RpcHandlers<typeof RegistryServiceService>),
    ],
    routes: (app) => {
      app.get('/who', async () => ({ answered: 'by the registry' }));
    },
  }),
};

/** A service that does nothing but call others. */
const calling = (name: ServiceName): { module: ServiceModule; runtime: () => Runtime } => {
  const seen: Runtime[] = [];
  return {
    module: {
      name,
      setup: async (runtime) => {
        seen.push(runtime);
        return {};
      },
    },
    runtime: () => {
      if (seen[0] === undefined) throw new Error(`${name} was not started`);
      return seen[0];
    },
  };
};

/** One request on a connection of its own, by a certificate or none. */
const fetchAs = async (holder: string | undefined, path: string) => {
  const { ca, certificate, key } = tlsFilesIn(lab.directory, holder ?? 'operator');
  const store = await TlsStore.open({ ca, certificate, key });
  const { options } = store.current;
  store.close();
  const { cert: _cert, key: _key, ...anonymous } = options;
  const connect = buildConnector({ ...(holder === undefined ? anonymous : options), timeout: 10_000 });
  const client = new Client(`https://${addresses('registry', 'http')}`, { connect });
  try {
    const { statusCode, body } = await client.request({ method: 'GET', path });
    return { status: statusCode, text: await body.text() };
  } finally {
    await client.close();
  }
};

describe('services with certificates', () => {
  const gateway = calling('gateway');
  const training = calling('training');
  beforeAll(async () => {
    await start(registry, tlsEnv('registry'));
    await start(gateway.module, tlsEnv('gateway'));
    await start(training.module, tlsEnv('training'));
  });

  it('call each other over gRPC as the table of callers says', async () => {
    const call = (runtime: Runtime) =>
      runtime.peer('registry', RegistryServiceService).getModel({ name: 'a' });
    await expect(call(gateway.runtime())).rejects.toThrow('there is no model a');
    await expect(call(training.runtime())).rejects.toMatchObject({ code: ErrorCode.denied });
  });

  it('call each other over HTTP', async () => {
    const peer = gateway.runtime().httpPeer('registry', { connections: 2, timeoutMs: 10_000 });
    const answer = await peer.request({ method: 'GET', path: '/who' });
    expect(await answer.body.json()).toEqual({ answered: 'by the registry' });
    const refused = training.runtime().httpPeer('registry', { connections: 2, timeoutMs: 10_000 });
    const { statusCode, body } = await refused.request({ method: 'GET', path: '/who' });
    expect(statusCode).toBe(403);
    expect(await body.json()).toMatchObject({
      error: { code: ErrorCode.denied, message: 'service training may not call GET /who' },
    });
  });

  it('do not call one that shows the certificate of another', async () => {
    const { httpPort } = await start(calling('training').module, tlsEnv('training'));
    running.set('registry', { ...(running.get('registry') as RunningService), httpPort });
    const peer = gateway.runtime().httpPeer('registry', { connections: 1, timeoutMs: 10_000 });
    await expect(peer.request({ method: 'GET', path: '/who' })).rejects.toThrow(
      'its certificate is that of service training, not of service registry',
    );
    await start(registry, tlsEnv('registry'));
  });

  it.each([
    [undefined, '/health/live', 200],
    [undefined, '/health/ready', 200],
    [undefined, '/metrics', 401],
    [undefined, '/who', 401],
    [undefined, '/nothing', 401],
    ['prometheus', '/metrics', 200],
    ['prometheus', '/who', 403],
    ['operator', '/who', 403],
    ['training', '/who', 403],
    ['gateway', '/who', 200],
    ['gateway', '/nothing', 404],
  ])('answer %s on %s with %i', async (holder, path, status) => {
    expect((await fetchAs(holder, path)).status).toBe(status);
  });

  it('answer nobody without TLS', async () => {
    await expect(request(`http://${addresses('registry', 'http')}/health/live`)).rejects.toThrow();
  });

  it('leave the edge to users, who have no certificate', async () => {
    const { statusCode } = await request(`http://${addresses('gateway', 'http')}/health/live`);
    expect(statusCode).toBe(200);
  });

  it('show new certificates to new connections without a restart', async () => {
    const shown = async () => {
      const files = tlsFilesIn(lab.directory, 'gateway');
      const store = await TlsStore.open(files);
      store.close();
      let serial = '';
      const checked = buildConnector({ secureContext: store.current.context, timeout: 10_000 });
      const client = new Client(`https://${addresses('registry', 'http')}`, {
        connect: (options, callback) =>
          checked(options, (error, socket) => {
            const secured = socket as { getPeerX509Certificate?: () => { serialNumber: string } } | null;
            serial = secured?.getPeerX509Certificate?.().serialNumber ?? '';
            if (error === null) callback(null, socket as never);
            else callback(error, null);
          }),
      });
      await (await client.request({ method: 'GET', path: '/who' })).body.dump();
      await client.close();
      return serial;
    };
    const before = await shown();
    await renewCertificates({ directory: lab.directory, all: true, now: new Date() });
    await expect.poll(shown, { timeout: 60_000 }).not.toBe(before);
    const peer = gateway.runtime().httpPeer('registry', { connections: 1, timeoutMs: 10_000 });
    expect((await peer.request({ method: 'GET', path: '/who' })).statusCode).toBe(200);
  });
});

describe('a service', () => {
  it('does not start with the certificate of another', async () => {
    await expect(start(registry, tlsEnv('training'))).rejects.toMatchObject({
      code: ErrorCode.invalid,
      violations: [
        { path: 'MILLRACE_TLS_CERT', message: expect.stringContaining('service training, not of registry') },
      ],
    });
  });

  it('does not start with a key that is not there, and names the file', async () => {
    const wrong = { ...tlsEnv('registry'), MILLRACE_TLS_KEY: '/nowhere/tls.key' };
    await expect(start(registry, wrong)).rejects.toThrow('/nowhere/tls.key: cannot be read: ENOENT');
  });

  it('does not start with half of the settings', async () => {
    const { MILLRACE_TLS_KEY: _key, ...half } = tlsEnv('registry');
    await expect(start(registry, half)).rejects.toMatchObject({
      code: ErrorCode.invalid,
      violations: [{ path: 'MILLRACE_TLS_KEY' }],
    });
  });

  it('without certificates does not listen beyond loopback', async () => {
    await expect(start(registry, { MILLRACE_HOST: '0.0.0.0' })).rejects.toMatchObject({
      code: ErrorCode.invalid,
      hint: expect.stringContaining('MILLRACE_INSECURE=1'),
    });
  });
});
