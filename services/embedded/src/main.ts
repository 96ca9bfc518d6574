import { asMillraceError, errorToJson, exitCodeOf } from '@millrace/errors';
import { startTelemetry } from '@millrace/telemetry';
import { startEmbedded } from './embedded.ts';
import { modules } from './modules.ts';

const telemetry = startTelemetry({ defaultService: 'embedded', env: process.env });
try {
  const embedded = await startEmbedded(modules, process.env, (progress) => process.send?.({ progress }));
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await embedded.stop().finally(() => telemetry.shutdown());
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());
  process.send?.({ ready: { url: embedded.url, natsUrl: embedded.natsUrl } });
} catch (thrown) {
  const error = asMillraceError(thrown);
  if (process.send === undefined) {
    process.stderr.write(`Millrace did not start: ${error.message}\n${error.hint ?? ''}\n`);
  } else {
    process.send({ failed: errorToJson(error) });
  }
  process.exitCode = exitCodeOf(error.code);
  process.disconnect?.();
}
