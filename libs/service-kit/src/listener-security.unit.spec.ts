import { describe, expect, it } from 'vitest';
import { requireProtectedListeners } from './listener-security.ts';
import { type Env, readSettings, type ServiceName } from './settings.ts';

const tls: Env = { MILLRACE_TLS_CA: 'ca.crt', MILLRACE_TLS_CERT: 'tls.crt', MILLRACE_TLS_KEY: 'tls.key' };
const warnings: unknown[] = [];
const check = (service: ServiceName, env: Env) => () =>
  requireProtectedListeners(readSettings(service, env), {
    warn: (...told: unknown[]) => void warnings.push(told),
  });

describe('listeners without certificates', () => {
  it.each(['127.0.0.1', '127.8.0.1', '::1', 'localhost'])('may be bound to %s', (host) => {
    expect(check('registry', { MILLRACE_HOST: host })).not.toThrow();
  });

  it.each(['0.0.0.0', '::', '10.0.0.5', 'registry', '127.0.0.1.example.org', '1270.0.0.1'])(
    'may not be bound to %s',
    (host) => {
      expect(check('registry', { MILLRACE_HOST: host })).toThrow(`${host} is beyond loopback`);
    },
  );

  it('may be bound anywhere where that was asked for by name, which is warned of', () => {
    expect(warnings).toEqual([]);
    expect(check('registry', { MILLRACE_HOST: '0.0.0.0', MILLRACE_INSECURE: '1' })).not.toThrow();
    expect(warnings).toEqual([[{ host: '0.0.0.0' }, expect.stringContaining('MILLRACE_INSECURE')]]);
    expect(check('registry', { MILLRACE_HOST: '0.0.0.0', MILLRACE_INSECURE: '0' })).toThrow();
    expect(check('registry', { MILLRACE_HOST: '0.0.0.0', MILLRACE_INSECURE: 'yes' })).toThrow(
      'MILLRACE_INSECURE',
    );
  });

  it('of the gateway: the edge may, gRPC stays on loopback', () => {
    expect(check('gateway', { MILLRACE_HOST: '0.0.0.0' })).not.toThrow();
    expect(readSettings('gateway', { MILLRACE_HOST: '0.0.0.0' }).grpcHost).toBe('127.0.0.1');
    expect(readSettings('gateway', { MILLRACE_HOST: '0.0.0.0', ...tls }).grpcHost).toBe('0.0.0.0');
    expect(readSettings('registry', { MILLRACE_HOST: '0.0.0.0' }).grpcHost).toBe('0.0.0.0');
  });
});

describe('listeners with certificates', () => {
  it('may be bound anywhere', () => {
    expect(check('registry', { MILLRACE_HOST: '0.0.0.0', ...tls })).not.toThrow();
  });
});
