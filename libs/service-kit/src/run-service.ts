import { armCrashPoints } from '@millrace/crash-points';
import { asMillraceError, errorToJson, exitCodeOf } from '@millrace/errors';
import { startTelemetry } from '@millrace/telemetry';
import { type RunningService, type ServiceModule, startService } from './service.ts';
import { readSettings } from './settings.ts';

/** Milliseconds that an orderly stop may take; what it leaves undone, the next start does. */
const stopTimeoutMs = 20_000;

/**
 * The whole of a service's `main.ts`: starts it as its own process and stops it on SIGINT, SIGTERM, or when the
 * supervisor that started it is gone.
 */
export const runService = async (module: ServiceModule): Promise<void> => {
  const telemetry = startTelemetry({ defaultService: module.name, env: process.env });
  let service: RunningService | undefined;
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), stopTimeoutMs).unref();
    await service?.stop();
    await telemetry.shutdown();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());
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
