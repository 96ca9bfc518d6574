import { contextFromHeaders, inSpan, isRecorded } from '@millrace/telemetry';
import { context, trace } from '@opentelemetry/api';
import type { MonitorDocument } from '../domain/monitor.ts';

/**
 * Does something rare and consequential (an alert, a request) in the trace of the run that set the monitor up, so
 * that the run's trace shows what became of its model; what caused it now is linked, where it is recorded.
 */
export const inRunTrace = <T>(
  { endpoint, trace: headers }: MonitorDocument,
  name: string,
  work: () => Promise<T>,
): Promise<T> => {
  const cause = trace.getSpanContext(context.active());
  return inSpan(
    name,
    {
      attributes: { 'millrace.endpoint.name': endpoint },
      context: contextFromHeaders(headers, context.active()),
      ...(cause !== undefined && isRecorded(cause) ? { links: [{ context: cause }] } : {}),
    },
    work,
  );
};
