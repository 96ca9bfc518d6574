import { type Context, context, createContextKey } from '@opentelemetry/api';

const serviceKey = createContextKey('millrace.service');

/**
 * Runs `work` as part of a service: spans and log lines made in it, and in everything it awaits, carry the
 * service's name. One process may run several services (the embedded mode), so the name cannot be global.
 */
export const runAsService = <T>(service: string, work: () => T): T =>
  context.with(context.active().setValue(serviceKey, service), work);

/** The service that the code is running for, if any. */
export const activeService = (ctx: Context = context.active()): string | undefined =>
  ctx.getValue(serviceKey) as string | undefined;
