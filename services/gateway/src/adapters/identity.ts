import { timingSafeEqual } from 'node:crypto';
import { Denied, FailedPrecondition, Unauthenticated } from '@millrace/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const userHeader = 'millrace-user';
const userGrammar = /^[\w.@+-]{1,128}$/;

/**
 * Who makes the request, as the audit log will name it. On an open loopback gateway the caller says so itself in
 * `millrace-user`; there is nobody else on the machine's loopback to lie to.
 */
export const userOf = (request: FastifyRequest): string => {
  const header = request.headers[userHeader];
  return typeof header === 'string' && userGrammar.test(header) ? `user:${header}` : 'user:anonymous';
};

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * Demands `Authorization: Bearer <token>` on everything but the health checks when a token is set, and refuses
 * to listen beyond loopback without one.
 *
 * @throws FailedPrecondition
 */
export const requireToken = (app: FastifyInstance, host: string, token: string | undefined): void => {
  if (token === undefined) {
    if (loopback.has(host)) return;
    throw new FailedPrecondition(`the gateway would be open to everyone who reaches ${host}`, {
      hint: 'Set MILLRACE_TOKEN to a secret of 16 characters or more, or listen on 127.0.0.1.',
    });
  }
  const expected = Buffer.from(`Bearer ${token}`);
  app.addHook('onRequest', async (request) => {
    if (request.url.startsWith('/health/')) return;
    const given = Buffer.from(request.headers.authorization ?? '');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new Unauthenticated('this gateway needs a token', {
        hint: 'Send it as "Authorization: Bearer …"; the command line takes it from MILLRACE_TOKEN.',
      });
    }
  });
};

/**
 * Refuses requests that a web page of another site could have a browser make. A request must come without an
 * `Origin`, or from this very host (request forgery). Without a token it must also name this machine as its
 * `Host`: a page whose name was made to resolve to loopback (DNS rebinding) has this very host as its origin.
 *
 * @throws Denied
 */
export const refuseForeignOrigins = (app: FastifyInstance, token: string | undefined): void => {
  app.addHook('onRequest', async (request) => {
    const { origin, host } = request.headers;
    if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
      throw new Denied(`requests from ${origin} are not accepted`);
    }
    if (token === undefined && !loopback.has(hostName(host ?? ''))) {
      throw new Denied(`requests to the host "${host}" are not accepted without a token`, {
        hint: 'Use 127.0.0.1 or localhost, or set MILLRACE_TOKEN.',
      });
    }
  });
};

/** The name in a `Host` header, without its port and an IPv6 address's brackets. */
const hostName = (host: string): string => host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
