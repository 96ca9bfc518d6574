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
    destination({ dest: file ?? 2, sync: file === undefined, mkdir: true }),
  );
