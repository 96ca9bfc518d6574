import { expect, it } from 'vitest';
import { readNatsSettings } from './nats-settings.ts';

it('says nothing of who connects where no variable does', () => {
  expect(readNatsSettings({})).toEqual({ keptBy: 'services' });
});

it.each([
  [
    { NATS_USER: 'ingest', NATS_PASSWORD: 'secret' },
    { user: 'ingest', password: 'secret' },
  ],
  [
    { NATS_USER: 'ingest', NATS_PASSWORD_FILE: '/p' },
    { user: 'ingest', passwordFile: '/p' },
  ],
  [{ NATS_NKEY_FILE: '/n' }, { nkeyFile: '/n' }],
  [{ NATS_CREDS: '/c' }, { credsFile: '/c' }],
])('reads who connects from %j', (env, credentials) => {
  expect(readNatsSettings(env)).toEqual({ credentials, keptBy: 'services' });
});

it('reads the files of TLS', () => {
  expect(
    readNatsSettings({
      NATS_TLS_CA: '/ca',
      NATS_TLS_CERT: '/crt',
      NATS_TLS_KEY: '/key',
      MILLRACE_STREAMS_KEPT_BY: 'keeper',
    }),
  ).toEqual({ tls: { ca: '/ca', cert: '/crt', key: '/key' }, keptBy: 'keeper' });
});

it.each([
  [{ NATS_USER: 'ingest' }, 'NATS_PASSWORD'],
  [{ NATS_PASSWORD: 'secret' }, 'NATS_USER'],
  [{ NATS_USER: 'ingest', NATS_PASSWORD: 'secret', NATS_NKEY_FILE: '/n' }, 'NATS_PASSWORD'],
  [{ NATS_TLS_CERT: '/crt' }, 'NATS_TLS_CERT'],
  [{ MILLRACE_STREAMS_KEPT_BY: 'nobody' }, 'MILLRACE_STREAMS_KEPT_BY'],
])('refuses %j without telling a secret', (env, path) => {
  let thrown: unknown;
  try {
    readNatsSettings(env);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: 'invalid', violations: [expect.objectContaining({ path })] });
  expect(String(thrown)).not.toContain('secret');
});
