import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { mustHold } from '../harness/benchmark.ts';
import { onCore } from '../harness/load.ts';

/** A server under load, in a process of its own on the first core. */
export interface ServerProcess {
  readonly port: number;
  stop(): Promise<void>;
}

const start = async (
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  portOf: (message: Record<string, unknown>) => unknown,
): Promise<ServerProcess> => {
  const [program = '', ...args] = [
    ...onCore(0),
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    ...(process.env.MILLRACE_BENCH_NODE_FLAGS?.split(' ') ?? []),
    ...command,
  ];
  const child = spawn(program, args, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [message] = (await Promise.race([once(child, 'message'), endedEarly(child)])) as [
    Record<string, unknown>,
  ];
  const port = Number(portOf(message));
  mustHold(port > 0, () => `${command[0]} did not start: ${JSON.stringify(message)}`);
  return {
    port,
    stop: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
};

const endedEarly = async (child: ChildProcess): Promise<[Record<string, unknown>]> => {
  const [code] = (await once(child, 'exit')) as [number | null];
  return [{ exitCode: code }];
};

/** See `bare-server.ts`. */
export const startBareServer = (
  dataDir: string,
  digest: string,
  env: NodeJS.ProcessEnv,
): Promise<ServerProcess> =>
  start(
    [fileURLToPath(new URL('./bare-server.ts', import.meta.url)), `${dataDir}/blobs`, digest],
    env,
    ({ port }) => port,
  );

/** The deployment service alone, on stores that an embedded Millrace has left. */
export const startDeployment = (
  dataDir: string,
  natsUrl: string,
  env: NodeJS.ProcessEnv,
): Promise<ServerProcess> =>
  start(
    [fileURLToPath(import.meta.resolve('@millrace/deployment/main'))],
    {
      ...env,
      NATS_URL: natsUrl,
      MILLRACE_DATA_DIR: dataDir,
      MILLRACE_HTTP_PORT: '0',
      MILLRACE_GRPC_PORT: '0',
      MILLRACE_LOG_LEVEL: 'error',
    },
    ({ httpPort }) => httpPort,
  );
