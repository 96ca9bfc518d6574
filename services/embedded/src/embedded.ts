import { mkdir } from 'node:fs/promises';
import type { OnProgress } from '@millrace/broker';
import { removeRunningState, writeRunningState } from '@millrace/installation';
import {
  type AddressBook,
  type Env,
  type Neighbours,
  type RunningService,
  readSettings,
  type ServiceModule,
  type ServiceName,
  startService,
} from '@millrace/service-kit';
import { createLogger } from '@millrace/telemetry';
import type { Installation } from './run-installation.ts';
import { readInstallation, refuseSecond } from './settings.ts';
import { superviseBroker } from './supervised-broker.ts';

/**
 * Starts every service in this process, and the broker as its child.
 *
 * @throws Conflict when a Millrace already runs on the data directory
 */
export const startEmbedded = async (
  modules: readonly ServiceModule[],
  env: NodeJS.ProcessEnv,
  onProgress: OnProgress,
): Promise<Installation> => {
  const installation = readInstallation(env);
  const { dataDir } = installation;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await refuseSecond(dataDir);
  const log = createLogger(installation.logLevel, env.MILLRACE_LOG_FILE);
  const broker = await superviseBroker(dataDir, env, log, onProgress);
  const running: RunningService[] = [];
  const stop = async () => {
    await removeRunningState(dataDir);
    for (const service of running.splice(0).reverse()) await service.stop();
    await broker.stop();
  };
  try {
    const addresses = addressBook(running);
    const started = await Promise.allSettled(
      modules.map(async (module) => {
        const own = { ...envOf(module.name, env, installation, broker.url), ...broker.envOf(module.name) };
        running.push(
          await startService(module, readSettings(module.name, own, addresses), own, neighboursOf(running)),
        );
      }),
    );
    // Waited for all: one that starts after another has failed must be stopped too.
    const failed = started.find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
    const gateway = running.find(({ name }) => name === 'gateway');
    const url = `http://${installation.host}:${gateway?.httpPort ?? installation.port}`;
    await writeRunningState(dataDir, {
      pid: process.pid,
      url,
      natsUrl: broker.url,
      mode: 'embedded',
      pids: {},
      startedAt: Date.now(),
    });
    return { url, natsUrl: broker.url, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
};

/** Only the gateway listens where the user said; the others are reached through it, on free loopback ports. */
const envOf = (
  service: ServiceName,
  env: NodeJS.ProcessEnv,
  { dataDir, host, port }: ReturnType<typeof readInstallation>,
  natsUrl: string,
): Env => ({
  ...env,
  NATS_URL: natsUrl,
  MILLRACE_DATA_DIR: dataDir,
  MILLRACE_HOST: service === 'gateway' ? host : '127.0.0.1',
  MILLRACE_GRPC_PORT: '0',
  MILLRACE_HTTP_PORT: service === 'gateway' ? String(port) : '0',
  // Within one process, on loopback, there is nobody to keep out, and one certificate names one service.
  MILLRACE_TLS_CA: undefined,
  MILLRACE_TLS_CERT: undefined,
  MILLRACE_TLS_KEY: undefined,
  MILLRACE_TLS_CRL: undefined,
});

/** Services learn each other's ports when they first call, by which time all have started. */
const addressBook =
  (running: readonly RunningService[]): AddressBook =>
  (name, listener) => {
    const service = running.find((item) => item.name === name);
    // Nothing listens on port 1: the call waits for its peer, or fails as unavailable at its deadline.
    if (service === undefined) return '127.0.0.1:1';
    return `127.0.0.1:${listener === 'grpc' ? service.grpcPort : service.httpPort}`;
  };

/** Requests that one service passes on to another stay in the process. */
const neighboursOf =
  (running: readonly RunningService[]): Neighbours =>
  (name) =>
    running.find((item) => item.name === name)?.local;
