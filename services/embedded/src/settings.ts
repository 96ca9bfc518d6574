import { resolve } from 'node:path';
import { Conflict } from '@millrace/errors';
import { readRunningState } from '@millrace/installation';
import { readEnv } from '@millrace/service-kit';
import { z } from 'zod';

const schema = z.object({
  MILLRACE_DATA_DIR: z.string().min(1).default('.millrace'),
  MILLRACE_HOST: z.string().min(1).default('127.0.0.1'),
  /** Port of the gateway. */
  MILLRACE_PORT: z.coerce.number().int().min(0).max(65_535).default(7700),
  /** Directory of development certificates, for mutual TLS between services that run apart. */
  MILLRACE_TLS_DIR: z.string().min(1).optional(),
  MILLRACE_LOG_LEVEL: z.string().default('info'),
});

/** Settings of a whole Millrace on one machine, for the embedded and the separate mode. */
export const readInstallation = (env: NodeJS.ProcessEnv) => {
  const read = readEnv(schema, env);
  return {
    dataDir: resolve(read.MILLRACE_DATA_DIR),
    host: read.MILLRACE_HOST,
    port: read.MILLRACE_PORT,
    tlsDir: read.MILLRACE_TLS_DIR === undefined ? undefined : resolve(read.MILLRACE_TLS_DIR),
    logLevel: read.MILLRACE_LOG_LEVEL,
  };
};

/** Throws `Conflict` when a Millrace already runs on the data directory. */
export const refuseSecond = async (dataDir: string): Promise<void> => {
  const other = await readRunningState(dataDir);
  if (other === undefined) return;
  throw new Conflict(`Millrace already runs on ${dataDir} (process ${other.pid}, ${other.url})`, {
    hint: 'Use it, end it with `millrace down`, or choose another MILLRACE_DATA_DIR.',
  });
};
