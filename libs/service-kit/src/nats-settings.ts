import type { BusCredentials, BusOptions } from '@millrace/bus';
import { Invalid } from '@millrace/errors';
import { z } from 'zod';
import { type Env, readEnv } from './settings.ts';

const file = z.string().min(1).optional();

const schema = z.object({
  NATS_USER: z.string().min(1).optional(),
  NATS_PASSWORD: z.string().min(1).optional(),
  NATS_PASSWORD_FILE: file,
  NATS_NKEY_FILE: file,
  NATS_CREDS: file,
  NATS_TLS_CA: file,
  NATS_TLS_CERT: file,
  NATS_TLS_KEY: file,
  /** `keeper` where the service has no right to make streams and consumers. */
  MILLRACE_STREAMS_KEPT_BY: z.enum(['services', 'keeper']).default('services'),
});

/** How a service speaks to the broker, besides its address: who it is, over TLS or not, and who keeps the streams. */
export const readNatsSettings = (
  env: Env,
): Pick<BusOptions, 'credentials' | 'tls'> & { readonly keptBy: 'services' | 'keeper' } => {
  const read = readEnv(schema, env);
  const tls = {
    ...(read.NATS_TLS_CA === undefined ? {} : { ca: read.NATS_TLS_CA }),
    ...(read.NATS_TLS_CERT === undefined ? {} : { cert: read.NATS_TLS_CERT }),
    ...(read.NATS_TLS_KEY === undefined ? {} : { key: read.NATS_TLS_KEY }),
  };
  if ('cert' in tls !== 'key' in tls) {
    throw Invalid.field('NATS_TLS_CERT', 'is set together with NATS_TLS_KEY or not at all');
  }
  const credentials = credentialsOf(read);
  return {
    ...(credentials === undefined ? {} : { credentials }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    keptBy: read.MILLRACE_STREAMS_KEPT_BY,
  };
};

/** One way to prove who connects. Throws `Invalid` when several are given, or half of one. */
const credentialsOf = (read: z.infer<typeof schema>): BusCredentials | undefined => {
  const { NATS_USER: user, NATS_PASSWORD: password, NATS_PASSWORD_FILE: passwordFile } = read;
  const ways = [password, passwordFile, read.NATS_NKEY_FILE, read.NATS_CREDS].filter(Boolean);
  if (ways.length > 1) {
    throw Invalid.field(
      'NATS_PASSWORD',
      'only one of NATS_PASSWORD, NATS_PASSWORD_FILE, NATS_NKEY_FILE and NATS_CREDS may be set',
    );
  }
  if (read.NATS_NKEY_FILE !== undefined) return { nkeyFile: read.NATS_NKEY_FILE };
  if (read.NATS_CREDS !== undefined) return { credsFile: read.NATS_CREDS };
  if (user === undefined && ways.length === 0) return undefined;
  if (user === undefined) throw Invalid.field('NATS_USER', 'is needed with a password');
  if (password !== undefined) return { user, password };
  if (passwordFile !== undefined) return { user, passwordFile };
  throw Invalid.field('NATS_PASSWORD', 'or NATS_PASSWORD_FILE is needed with NATS_USER');
};
