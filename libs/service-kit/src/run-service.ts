import cluster from 'node:cluster';
import { armCrashPoints } from '@millrace/crash-points';
import { asMillraceError, errorToJson, exitCodeOf } from '@millrace/errors';
import { startTelemetry } from '@millrace/telemetry';
import { type RunningService, type ServiceModule, startService } from './service.ts';
import { readSettings } from './settings.ts';

/** Milliseconds that an orderly stop may take; what it leaves undone, the next start does. */
const stopTimeoutMs = 20_000;

/**
 * The whole of a service's `main.ts`: starts it as its own process and stops it on SIGTERM, letting clients leave for the
 * process that comes in its place; at once on SIGINT, or when the supervisor that started it is gone.
 */
export const runService = async (module: ServiceModule): Promise<void> => {
  const telemetry = startTelemetry({ defaultService: module.name, env: process.env });
  let service: RunningService | undefined;
  let stopping = false;
  // A process that a supervisor lets share its listeners would end at once with the supervisor, without an order.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
  const stop = async (drain = false) => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), stopTimeoutMs).unref();
    await service?.stop({ drain });
    await telemetry.shutdown();
    process.exit(0);
  };
  process.on('SIGINT', () => void stop());
  process.on('SIGTERM', () => void stop(true));
  process.once('disconnect', () => void stop());
  try {
    armCrashPoints(module.name, process.env);
    service = await startService(module, readSettings(module.name, process.env), process.env);
    // A supervisor that started us reads the ports from here.
    process.send?.({ ready: true, grpcPort: service.grpcPort, httpPort: service.httpPort });
  } catch (thrown) {
    const error = asMillraceError(thrown);
    process.stderr.write(`${module.name} did not start: ${error.message}\n`);
    if (error.hint !== undefined) process.stderr.write(`${error.hint}\n`);
    const exit = () => process.exit(exitCodeOf(error.code));
    if (process.send === undefined) exit();
    else process.send({ failed: errorToJson(error) }, exit);
  }
};
