import type { OnProgress } from '@millrace/broker';
import { asMillraceError, errorToJson, exitCodeOf } from '@millrace/errors';
import { startTelemetry } from '@millrace/telemetry';

/** A Millrace on one machine, with all its services. */
export interface Installation {
  /** Address of the gateway. */
  readonly url: string;
  readonly natsUrl: string;
  stop(): Promise<void>;
}

/**
 * The whole of a mode's main file: starts the installation, tells whoever started us how that went, and stops it on
 * SIGINT, SIGTERM, or when who started us is gone without having said `detach`.
 */
export const runInstallation = async (
  name: string,
  start: (onProgress: OnProgress) => Promise<Installation>,
): Promise<void> => {
  const telemetry = startTelemetry({ defaultService: name, env: process.env });
  const starting = start((progress) => process.send?.({ progress }));
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    // What is still starting is stopped once it has started; if it fails, it has cleaned up after itself.
    await starting.then((installation) => installation.stop()).finally(() => telemetry.shutdown());
    process.exit(0);
  };
  const onDisconnect = () => void stop();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());
  process.once('disconnect', onDisconnect);
  process.on('message', (message: { readonly detach?: boolean }) => {
    if (message.detach === true) process.off('disconnect', onDisconnect);
  });
  try {
    const { url, natsUrl } = await starting;
    process.send?.({ ready: { url, natsUrl } });
  } catch (thrown) {
    process.off('disconnect', onDisconnect);
    const error = asMillraceError(thrown);
    if (process.send === undefined) {
      process.stderr.write(`Millrace did not start: ${error.message}\n${error.hint ?? ''}\n`);
    } else {
      process.send({ failed: errorToJson(error) });
    }
    process.exitCode = exitCodeOf(error.code);
    process.disconnect?.();
  }
};
