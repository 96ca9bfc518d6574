import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startNatsServer } from '@millrace/broker';
import { type Bus, type BusOptions, connectBus, nkeyFileOf, nkeyFiles, serverAccounts } from '@millrace/bus';
import { type Env, readNatsSettings } from '@millrace/service-kit';

const connectTimeoutMs = 5_000;

/** Who the command line is to the broker: what the environment says, else the operator's key of the data directory. */
const identityOf = (dataDir: string, env: Env): Pick<BusOptions, 'credentials' | 'tls'> => {
  const { credentials, tls } = readNatsSettings(env);
  const nkeyFile = nkeyFileOf(join(dataDir, 'nats-keys'), 'admin');
  return {
    ...(tls === undefined ? {} : { tls }),
    ...(credentials !== undefined
      ? { credentials }
      : existsSync(nkeyFile)
        ? { credentials: { nkeyFile } }
        : {}),
  };
};

/** Connects to a broker; as `keeper` without making anything there. Throws `Unavailable` when none answers soon. */
export const connectToBroker = (
  url: string,
  dataDir: string,
  env: Env,
  keptBy: 'services' | 'keeper' = 'keeper',
): Promise<Bus> =>
  connectBus({
    url,
    service: 'operator',
    topology: { keptBy },
    connectTimeoutMs,
    ...identityOf(dataDir, env),
  });

/** Runs the broker of a data directory for the time of some work with its streams, which are made. */
export const withOwnBroker = async <T>(
  dataDir: string,
  env: NodeJS.ProcessEnv,
  work: (bus: Bus) => Promise<T>,
): Promise<T> => {
  const keys = join(dataDir, 'nats-keys');
  const users = env.MILLRACE_NATS_USERS === '1' ? serverAccounts(await nkeyFiles(keys)) : undefined;
  const server = await startNatsServer({
    storeDir: join(dataDir, 'nats'),
    env,
    ...(users === undefined ? {} : { authorization: users }),
  });
  try {
    const bus = await connectBus({ url: server.url, service: 'operator', ...identityOf(dataDir, env) });
    try {
      return await work(bus);
    } finally {
      await bus.drain();
    }
  } finally {
    await server.stop();
  }
};
