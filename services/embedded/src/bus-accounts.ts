import { join } from 'node:path';
import type { ServerTls } from '@millrace/broker';
import {
  type BusTls,
  type BusUser,
  connectBus,
  nkeyFileOf,
  nkeyFiles,
  type Running,
  serverAccounts,
  startKeeper,
} from '@millrace/bus';
import { tlsFilesIn } from '@millrace/certificates';
import { type Env, readEnv } from '@millrace/service-kit';
import type { Logger } from '@millrace/telemetry';
import { z } from 'zod';

const schema = z.object({
  /** `1`: the broker has a user for each service. */
  MILLRACE_NATS_USERS: z.enum(['0', '1']).default('0'),
  MILLRACE_STEP_LEASE_MS: z.coerce.number().int().min(500).default(10_000),
});

/** What a broker with a user for each service needs, and what the services need to be let in. */
export interface BusAccounts {
  readonly authorization: Readonly<Record<string, unknown>>;
  /** Absent where there are no certificates. */
  readonly tls?: ServerTls;
  /** Variables of a service. */
  envOf(service: BusUser): Env;
  /** Begins to keep streams and consumers, which services may not. */
  keep(url: string, log: Logger): Promise<Running>;
}

/**
 * Keys for all users, made at the first start; `undefined` when everybody may do everything. With a directory of
 * certificates everybody also shows one, and all is encrypted.
 */
export const openBusAccounts = async (
  dataDir: string,
  env: Env,
  tlsDir: string | undefined,
): Promise<BusAccounts | undefined> => {
  const read = readEnv(schema, env);
  if (read.MILLRACE_NATS_USERS !== '1') return undefined;
  const directory = join(dataDir, 'nats-keys');
  const proofs = await nkeyFiles(directory);
  return {
    authorization: serverAccounts(proofs),
    ...(tlsDir === undefined ? {} : { tls: tlsOf(tlsDir, 'nats') }),
    envOf: (service) => ({
      ...(tlsDir === undefined ? {} : tlsEnvOf(tlsDir, service)),
      NATS_NKEY_FILE: nkeyFileOf(directory, service),
      MILLRACE_STREAMS_KEPT_BY: 'keeper',
    }),
    keep: async (url, log) => {
      const credentials = { nkeyFile: nkeyFileOf(directory, 'admin') };
      const tls = tlsDir === undefined ? {} : { tls: tlsOf(tlsDir, 'operator') };
      const bus = await connectBus({ url, service: 'keeper', credentials, logger: log, ...tls });
      const keeper = startKeeper({ bus, stepLeaseMs: read.MILLRACE_STEP_LEASE_MS });
      return {
        stop: async () => {
          await keeper.stop();
          await bus.drain();
        },
      };
    },
  };
};

const tlsOf = (directory: string, holder: string): Required<BusTls> => {
  const { ca, certificate: cert, key } = tlsFilesIn(directory, holder);
  return { ca, cert, key };
};

const tlsEnvOf = (directory: string, service: BusUser): Env => {
  const { ca, cert, key } = tlsOf(directory, service);
  return { NATS_TLS_CA: ca, NATS_TLS_CERT: cert, NATS_TLS_KEY: key };
};
