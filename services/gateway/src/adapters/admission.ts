import { Unavailable } from '@millrace/errors';
import { whenClosed } from '@millrace/service-kit';
import type { FastifyInstance } from 'fastify';

export interface AdmissionLimits {
  /** Requests at once, streams apart. */
  readonly requests: number;
  /** Server-sent event streams at once: each costs a consumer at the broker. */
  readonly streams: number;
}

/** Seconds after which who was turned away may come again: spread, so that a herd does not come back as one. */
const retryAfter = { least: 1, most: 5 };

/** Asked by whoever keeps the gateway running: to turn them away would have it killed for being busy. */
const neverCounted = new Set(['/health/live', '/health/ready', '/metrics']);

/**
 * Turns away with 503 and `Retry-After` what is beyond the limits, before anything is done for it. Health and metrics
 * are not counted.
 *
 * @param random evenly spread in [0, 1)
 */
export const limitAdmission = (app: FastifyInstance, limits: AdmissionLimits, random: () => number): void => {
  const open = { requests: 0, streams: 0 };
  app.addHook('onRequest', (request, reply, done) => {
    const { url, config } = request.routeOptions;
    if (neverCounted.has(url ?? '')) return done();
    const kind = config.stream === true ? 'streams' : 'requests';
    if (open[kind] >= limits[kind]) {
      const { least, most } = retryAfter;
      reply.header('retry-after', least + Math.floor(random() * (most - least + 1)));
      const refused = `the gateway serves ${limits[kind]} ${kind} at once, and has as many`;
      return done(new Unavailable(refused, { hint: 'Try again after the time in `Retry-After`.' }));
    }
    open[kind] += 1;
    // However the answer ends: in order, by an error, or because the client is gone.
    whenClosed(reply.raw, () => {
      open[kind] -= 1;
    });
    done();
  });
};
