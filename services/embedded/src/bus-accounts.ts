import { join } from 'node:path';
import {
  type BusUser,
  connectBus,
  nkeyFileOf,
  nkeyFiles,
  type Running,
  serverAccounts,
  startKeeper,
} from '@millrace/bus';
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
  /** Variables of a service. */
  envOf(service: BusUser): Env;
  /** Begins to keep streams and consumers, which services may not. */
  keep(url: string, log: Logger): Promise<Running>;
}

/** Keys for all users, made at the first start; `undefined` when everybody may do everything. */
export const openBusAccounts = async (dataDir: string, env: Env): Promise<BusAccounts | undefined> => {
  const read = readEnv(schema, env);
  if (read.MILLRACE_NATS_USERS !== '1') return undefined;
  const directory = join(dataDir, 'nats-keys');
  const proofs = await nkeyFiles(directory);
  return {
    authorization: serverAccounts(proofs),
    envOf: (service) => ({
      NATS_NKEY_FILE: nkeyFileOf(directory, service),
      MILLRACE_STREAMS_KEPT_BY: 'keeper',
    }),
    keep: async (url, log) => {
      const credentials = { nkeyFile: nkeyFileOf(directory, 'admin') };
      const bus = await connectBus({ url, service: 'keeper', credentials, logger: log });
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
