import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import {
  type Env,
  type RunningService,
  readSettings,
  type ServiceModule,
  type ServiceName,
  startService,
} from '../src/index.ts';

/** Services of one test file: one data directory, addresses found as they start. */
export interface Host {
  readonly dataDir: string;
  readonly env: Env;
  start(module: ServiceModule, env?: Env): Promise<RunningService>;
  running(name: ServiceName): RunningService | undefined;
  stop(): Promise<void>;
}

export const openHost = async (natsUrl: string): Promise<Host> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-kit-'));
  const env: Env = {
    NATS_URL: natsUrl,
    MILLRACE_DATA_DIR: dataDir,
    MILLRACE_GRPC_PORT: '0',
    MILLRACE_HTTP_PORT: '0',
    MILLRACE_LOG_LEVEL: 'silent',
    MILLRACE_STEP_LEASE_MS: '1000',
  };
  const services = new Map<ServiceName, RunningService>();
  return {
    dataDir,
    env,
    start: async (module, more = {}) => {
      const own = { ...env, ...more };
      const address = (name: ServiceName) => `127.0.0.1:${services.get(name)?.grpcPort ?? 1}`;
      const service = await startService(module, readSettings(module.name, own, address), own);
      services.set(module.name, service);
      return service;
    },
    running: (name) => services.get(name),
    stop: async () => {
      for (const service of services.values()) await service.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

/** Waits until a condition holds. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 60_000, interval: 20 });
