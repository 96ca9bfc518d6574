import { context, trace } from '@opentelemetry/api';
import { destination, type Logger, pino, stdTimeFunctions } from 'pino';
import { activeService } from './service-context.ts';

export type { Logger };

/** Names under which a secret might be logged by mistake; their values never reach the output. */
const secretPaths = [
  'token',
  'password',
  'secret',
  'authorization',
  'headers.authorization',
  '*.token',
  '*.password',
  '*.secret',
];

/**
 * A JSON logger whose lines carry the service and the active trace (`trace_id`, `span_id`).
 *
 * @param level `trace` … `fatal`, or `silent`
 * @param file where to write; default standard error
 */
export const createLogger = (level: string, file?: string): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretPaths, censor: '[redacted]' },
      mixin: () => {
        const span = trace.getSpanContext(context.active());
        const service = activeService();
        return {
          ...(service === undefined ? {} : { service }),
          ...(span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId }),
        };
      },
    },
    output(file),
  );

/** How much waits for a destination that takes nothing, as on a full disk; what comes then is dropped. Characters. */
const maxWaiting = 1024 * 1024;

/**
 * A failing log must not end the process: what could not be written goes out with a later line. Written at once,
 * because the asynchronous form would, at the exit of a process, wait for space for ever.
 */
const output = (file: string | undefined) =>
  destination({ dest: file ?? 2, sync: true, mkdir: true, maxLength: maxWaiting }).on('error', () => {});
