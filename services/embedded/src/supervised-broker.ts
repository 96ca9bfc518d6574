import { join } from 'node:path';
import { type NatsServer, type OnProgress, startNatsServer } from '@millrace/broker';
import type { Logger } from '@millrace/telemetry';
import { findFreePorts } from './free-ports.ts';

export interface SupervisedBroker {
  readonly url: string;
  pid(): number | undefined;
  stop(): Promise<void>;
}

/** Milliseconds before a broker that died is started again. */
const restartDelayMs = 200;

/**
 * The broker of this installation: the one that `NATS_URL` names, else a child that is started again, on the
 * same port and store, whenever it dies.
 */
export const superviseBroker = async (
  dataDir: string,
  env: NodeJS.ProcessEnv,
  log: Logger,
  onProgress: OnProgress,
  onRestart: () => void = () => {},
): Promise<SupervisedBroker> => {
  if (env.NATS_URL) return { url: env.NATS_URL, pid: () => undefined, stop: async () => {} };
  const options = { storeDir: join(dataDir, 'nats'), env, onProgress };
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
  return {
    url,
    pid: () => server.pid,
    stop: async () => {
      stopping = true;
      await server.stop();
    },
  };
};
