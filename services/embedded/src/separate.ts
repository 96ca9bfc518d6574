import { mkdir } from 'node:fs/promises';
import { findFreePorts, type OnProgress } from '@millrace/broker';
import { Internal, Invalid } from '@millrace/errors';
import { controlSocketOf, removeRunningState, writeRunningState } from '@millrace/installation';
import { type Env, type ServiceName, serviceNames } from '@millrace/service-kit';
import { createLogger } from '@millrace/telemetry';
import { type ControlSocket, openControlSocket, type RestartServices } from './control-socket.ts';
import { developmentCertificates, tlsEnvOf } from './development-certificates.ts';
import type { Installation } from './run-installation.ts';
import { type ServiceProcess, superviseService } from './service-process.ts';
import { readInstallation, refuseSecond } from './settings.ts';
import { type SupervisedBroker, superviseBroker } from './supervised-broker.ts';

/** Where each service listens. */
type Ports = Readonly<Record<ServiceName, { readonly grpc: number; readonly http: number }>>;

/**
 * Starts the broker and every service as processes of their own, and starts again what dies. Addresses are chosen
 * once: who comes back is found where it was.
 *
 * @throws Conflict when a Millrace already runs on the data directory
 */
export const startSeparate = async (
  env: NodeJS.ProcessEnv,
  onProgress: OnProgress,
): Promise<Installation> => {
  const installation = readInstallation(env);
  const { dataDir, host } = installation;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await refuseSecond(dataDir);
  const log = createLogger(installation.logLevel, env.MILLRACE_LOG_FILE);
  const certificates = await developmentCertificates(installation.tlsDir, log);
  const ports = await choosePorts(installation.port);
  const url = `http://${host}:${ports.gateway.http}`;
  const startedAt = Date.now();
  const processes: ServiceProcess[] = [];
  let broker: SupervisedBroker | undefined;
  let control: ControlSocket | undefined;
  let ready = false;
  let lastWrite = Promise.resolve();

  const tellState = (): Promise<void> => {
    lastWrite = lastWrite.then(async () => {
      if (!ready || broker === undefined) return;
      const pids = pidsOf(broker, processes);
      await writeRunningState(dataDir, {
        pid: process.pid,
        url,
        natsUrl: broker.url,
        mode: 'separate',
        pids,
        startedAt,
      });
    });
    return lastWrite;
  };
  const onRestart = () =>
    void tellState().catch((thrown: unknown) => log.error({ err: thrown }, 'running.json was not written'));
  const stop = async () => {
    ready = false;
    certificates.stop();
    await control?.stop();
    await lastWrite.catch(() => {});
    await removeRunningState(dataDir);
    const inOrder = processes.splice(0).sort((a, b) => orderOf(b.name) - orderOf(a.name));
    for (const service of inOrder) await service.stop();
    await broker?.stop();
  };
  try {
    const started = await superviseBroker(dataDir, env, log, onProgress, onRestart, installation.tlsDir);
    broker = started;
    await startAll(
      serviceNames.map(async (name) => {
        const own = { ...envOf(name, env, installation, started.url, ports), ...started.envOf(name) };
        processes.push(await superviseService({ name, env: own, log, onRestart }));
      }),
    );
    ready = true;
    control = await openControlSocket(controlSocketOf(dataDir), rollingRestart(processes), log);
    await tellState();
    return { url, natsUrl: started.url, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
};

/** One service at a time: the others stand in for nothing, but nobody waits for two. */
const rollingRestart =
  (processes: readonly ServiceProcess[]): RestartServices =>
  async (names, onDone) => {
    const unknown = names.find((name) => !serviceNames.some((known) => known === name));
    if (unknown !== undefined) {
      throw Invalid.field('service', `"${unknown}" is none of ${serviceNames.join(', ')}`);
    }
    const chosen = serviceNames.filter((name) => names.length === 0 || names.includes(name));
    for (const name of chosen) {
      const begun = performance.now();
      await processes.find((service) => service.name === name)?.replace();
      onDone(name, Math.round(performance.now() - begun));
    }
  };

/** Waits for all, so that none is still starting when what did start is stopped; then throws the first failure. */
const startAll = async (starts: readonly Promise<void>[]): Promise<void> => {
  const failure = (await Promise.allSettled(starts)).find(({ status }) => status === 'rejected');
  if (failure?.status === 'rejected') throw failure.reason;
};

/** The order in which services start is that of their names' list; they stop in the reverse. */
const orderOf = (name: ServiceName): number => serviceNames.indexOf(name);

const choosePorts = async (gatewayPort: number): Promise<Ports> => {
  const free = await findFreePorts('127.0.0.1', 2 * serviceNames.length);
  const next = (): number => {
    const port = free.pop();
    if (port === undefined) throw new Internal('too few ports were chosen');
    return port;
  };
  const ports = Object.fromEntries(
    serviceNames.map((name) => [name, { grpc: next(), http: next() }]),
  ) as unknown as Ports;
  return gatewayPort === 0 ? ports : { ...ports, gateway: { ...ports.gateway, http: gatewayPort } };
};

const pidsOf = (broker: SupervisedBroker, processes: readonly ServiceProcess[]): Record<string, number> =>
  Object.fromEntries(
    [{ name: 'broker', pid: () => broker.pid() }, ...processes]
      .map((part) => [part.name, part.pid()] as const)
      .filter((entry): entry is [string, number] => entry[1] !== undefined),
  );

/** Only the gateway listens where the user said; the others are reached through it, on loopback. */
const envOf = (
  service: ServiceName,
  env: NodeJS.ProcessEnv,
  { dataDir, host, tlsDir }: ReturnType<typeof readInstallation>,
  natsUrl: string,
  ports: Ports,
): Env => ({
  ...env,
  ...Object.fromEntries(
    serviceNames.flatMap((name) => [
      [`MILLRACE_${name.toUpperCase()}_GRPC`, `127.0.0.1:${ports[name].grpc}`],
      [`MILLRACE_${name.toUpperCase()}_HTTP`, `127.0.0.1:${ports[name].http}`],
    ]),
  ),
  NATS_URL: natsUrl,
  MILLRACE_DATA_DIR: dataDir,
  MILLRACE_HOST: service === 'gateway' ? host : '127.0.0.1',
  MILLRACE_GRPC_PORT: String(ports[service].grpc),
  MILLRACE_HTTP_PORT: String(ports[service].http),
  ...(tlsDir === undefined ? {} : tlsEnvOf(tlsDir, service)),
});
