/**
 * Makes and mends streams and consumers for services that may only use them (`MILLRACE_STREAMS_KEPT_BY=keeper`), as a
 * process of its own in the image of any service: `node keeper.ts`. Several may run at once.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectBus, startKeeper } from '@millrace/bus';
import { readEnv, readSettings } from '@millrace/service-kit';
import { createLogger } from '@millrace/telemetry';
import { z } from 'zod';

const schema = z.object({
  /** Seed of the NKey of the broker's user `admin`. */
  NATS_NKEY_FILE: z.string().min(1),
  NATS_TLS_CA: z.string().min(1).optional(),
});

const { NATS_NKEY_FILE: nkeyFile, NATS_TLS_CA: ca } = readEnv(schema, process.env);
// What is the same for every service, such as the address of the broker.
const { natsUrl, logLevel, stepLeaseMs, streamReplicas } = readSettings('pipeline', process.env);
const logger = createLogger(logLevel);

const bus = await connectBus({
  url: natsUrl,
  service: 'keeper',
  credentials: { nkeyFile },
  ...(ca === undefined ? {} : { tls: { ca } }),
  logger,
  topology: { replicas: streamReplicas },
});
const keeper = startKeeper({ bus, stepLeaseMs });
logger.info({}, 'keeping streams and consumers');

/** Written while the broker answers: how old it is tells whoever looks after this process. */
const sign = join(tmpdir(), 'keeper-connected');
const showSign = (): void => {
  if (bus.status().connected) writeFileSync(sign, '');
};
showSign();
const signs = setInterval(showSign, 5_000);

const stop = async (): Promise<void> => {
  clearInterval(signs);
  await keeper.stop();
  await bus.drain();
  process.exit(0);
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
