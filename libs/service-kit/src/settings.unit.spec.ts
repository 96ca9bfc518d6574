import { Invalid } from '@millrace/errors';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { addressesFromEnv, type Env, readEnv, readSettings, serviceNames } from './settings.ts';

const errorOf = (work: () => unknown): Invalid => {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof Invalid) return thrown;
  }
  throw new Error('it was not refused');
};

describe('settings', () => {
  it('have a default each, on loopback and on ports that no two services share', () => {
    const ports = serviceNames.flatMap((name) => {
      const { host, grpcPort, httpPort } = readSettings(name, {});
      expect(host).toBe('127.0.0.1');
      return [grpcPort, httpPort];
    });
    expect(new Set(ports).size).toBe(ports.length);
    expect(readSettings('gateway', {}).httpPort).toBe(7700);
  });

  it('name a SQLite file of the service as its store, unless a URL says otherwise', () => {
    const storeUrl = (env: Record<string, string>) => readSettings('ingest', env).storeUrl;
    expect(storeUrl({ MILLRACE_DATA_DIR: '/data' })).toBe('sqlite:/data/ingest/store.sqlite');
    const url = 'mongodb+srv://user:password@db.example.com';
    expect(storeUrl({ MILLRACE_STORE_URL: url })).toBe(url);
    const secret = 'redis://user:password@db.example.com';
    const error = errorOf(() => storeUrl({ MILLRACE_STORE_URL: secret }));
    expect(error.violations.map(({ path }) => path)).toEqual(['MILLRACE_STORE_URL']);
    expect(error.message).not.toContain('password');
  });

  it('name every wrong variable at once', () => {
    const error = errorOf(() =>
      readSettings('ingest', {
        MILLRACE_GRPC_PORT: '70000',
        MILLRACE_LOG_LEVEL: 'loud',
        MILLRACE_STEP_LEASE_MS: 'soon',
      }),
    );
    expect(error.violations.map(({ path }) => path)).toEqual([
      'MILLRACE_GRPC_PORT',
      'MILLRACE_LOG_LEVEL',
      'MILLRACE_STEP_LEASE_MS',
    ]);
    for (const { path } of error.violations) expect(error.message).toContain(path);
    expect(error.hint).toContain('docs/configuration.md');
  });

  it('take an empty variable for one that is not set', () => {
    expect(readSettings('ingest', { MILLRACE_GRPC_PORT: '', NATS_URL: '' }).grpcPort).toBe(7701);
    expect(readEnv(z.object({ A: z.string().optional() }), { A: '' })).toEqual({});
  });

  it('find other services by their variables, else on this host', () => {
    const addresses = addressesFromEnv({ MILLRACE_REGISTRY_GRPC: 'registry:7704' });
    expect(addresses('registry', 'grpc')).toBe('registry:7704');
    expect(addresses('registry', 'http')).toBe('127.0.0.1:7714');
  });

  it('name user and TLS files of MongoDB, and what is missing of them', () => {
    const read = (env: Env) => readSettings('training', env).storeAccess;
    expect(read({})).toEqual({});
    const user = { MILLRACE_STORE_USER: 'training', MILLRACE_STORE_PASSWORD_FILE: '/run/password' };
    expect(read(user)).toEqual({ user: { name: 'training', passwordFile: '/run/password' } });
    expect(read({ MILLRACE_STORE_TLS_CA: '/ca.crt' })).toEqual({ tls: { ca: '/ca.crt' } });
    const pair = { MILLRACE_STORE_TLS_CERT: '/tls.crt', MILLRACE_STORE_TLS_KEY: '/tls.key' };
    expect(read({ MILLRACE_STORE_TLS_CA: '/ca.crt', ...pair })).toEqual({
      tls: { ca: '/ca.crt', certificate: '/tls.crt', key: '/tls.key' },
    });
    expect(() => read({ MILLRACE_STORE_USER: 'training' })).toThrow(
      'MILLRACE_STORE_PASSWORD_FILE: is needed with MILLRACE_STORE_USER',
    );
    expect(() => read({ MILLRACE_STORE_TLS_CA: '/ca.crt', MILLRACE_STORE_TLS_KEY: '/tls.key' })).toThrow(
      'MILLRACE_STORE_TLS_CERT: is needed',
    );
    expect(() => read(pair)).toThrow('MILLRACE_STORE_TLS_CA: is needed');
  });
});
