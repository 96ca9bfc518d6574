import { join } from 'node:path';
import { findFreePorts, type NatsServer, type OnProgress, startNatsServer } from '@millrace/broker';
import type { Env, ServiceName } from '@millrace/service-kit';
import type { Logger } from '@millrace/telemetry';
import { openBusAccounts } from './bus-accounts.ts';
import { onSpaceRegained } from './space-watch.ts';

export interface SupervisedBroker {
  readonly url: string;
  pid(): number | undefined;
  /** Variables that a service needs to be let in. */
  envOf(service: ServiceName): Env;
  stop(): Promise<void>;
}

/** Milliseconds between two times that the broker reads its certificate and users again: an hour. */
const rereadMs = 3_600_000;
/** Milliseconds before a broker that died is started again. */
const restartDelayMs = 200;
/**
 * What the broker may promise to its streams, whose limits add up to 2.2 GB. Stated, because the server would take a
 * share of what is free when it starts: on a disk that has become full it would refuse the streams that it has.
 */
const maxStoreBytes = 4 * 1024 ** 3;

/**
 * The broker of this installation: the one that `NATS_URL` names, else a child that is started again, on the
 * same port and store, whenever it dies. It is also started again once its disk was full and has space again: a
 * stream that could not be written to takes nothing more until then. Where it has users and `tlsDir` holds certificates,
 * it speaks TLS.
 */
export const superviseBroker = async (
  dataDir: string,
  env: NodeJS.ProcessEnv,
  log: Logger,
  onProgress: OnProgress,
  onRestart: () => void = () => {},
  tlsDir?: string,
): Promise<SupervisedBroker> => {
  if (env.NATS_URL) {
    return { url: env.NATS_URL, pid: () => undefined, envOf: () => ({}), stop: async () => {} };
  }
  const accounts = await openBusAccounts(dataDir, env, tlsDir);
  const options = {
    storeDir: join(dataDir, 'nats'),
    maxStoreBytes,
    env,
    onProgress,
    ...(accounts === undefined ? {} : { authorization: accounts.authorization }),
    ...(accounts?.tls === undefined ? {} : { tls: accounts.tls }),
  };
  let stopping = false;
  const [port] = await findFreePorts('127.0.0.1', 1);
  let server: NatsServer = await startNatsServer({ ...options, ...(port === undefined ? {} : { port }) });
  const { url } = server;
  const watch = () => {
    void server.exited.then(async ({ code, signal }) => {
      while (!stopping) {
        log.warn({ code, signal }, 'the broker ended; starting it again');
        await new Promise((resolve) => setTimeout(resolve, restartDelayMs));
        try {
          server = await startNatsServer({ ...options, port: server.port });
          watch();
          onRestart();
          return;
        } catch (thrown) {
          log.error({ err: thrown }, 'the broker did not start');
        }
      }
    });
  };
  watch();
  const unwatchSpace = onSpaceRegained(options.storeDir, () => {
    log.warn('the disk was full; starting the broker again');
    void server.stop();
  });
  // Its certificate may have been renewed since; reading the same one again changes nothing.
  const rereading = setInterval(() => server.reload(), rereadMs);
  const endServer = async () => {
    stopping = true;
    clearInterval(rereading);
    unwatchSpace();
    await server.stop();
  };
  const keeper = await accounts?.keep(url, log).catch(async (thrown: unknown) => {
    await endServer();
    throw thrown;
  });
  return {
    url,
    pid: () => server.pid,
    envOf: (service) => accounts?.envOf(service) ?? {},
    stop: async () => {
      await keeper?.stop();
      await endServer();
    },
  };
};
