import { asMillraceError, exitCodeOf } from '@millrace/errors';
import { startTelemetry } from '@millrace/telemetry';
import { type ServiceModule, startService } from './service.ts';
import { readSettings } from './settings.ts';

/** The whole of a service's `main.ts`: starts it as its own process and stops it on SIGINT or SIGTERM. */
export const runService = async (module: ServiceModule): Promise<void> => {
  const telemetry = startTelemetry({ defaultService: module.name, env: process.env });
  try {
    const service = await startService(module, readSettings(module.name, process.env), process.env);
    const stop = async () => {
      await service.stop();
      await telemetry.shutdown();
      process.exit(0);
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
    // A supervisor that started us reads the ports from here.
    process.send?.({ ready: true, grpcPort: service.grpcPort, httpPort: service.httpPort });
  } catch (thrown) {
    const error = asMillraceError(thrown);
    process.stderr.write(`${module.name} did not start: ${error.message}\n`);
    if (error.hint !== undefined) process.stderr.write(`${error.hint}\n`);
    process.exit(exitCodeOf(error.code));
  }
};
