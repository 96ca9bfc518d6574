import { constants } from 'node:crypto';
import type { Server as HttpsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { identityOf, identityText, type TlsStore } from '@millrace/certificates';
import { Denied, Unauthenticated } from '@millrace/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** For `fastify`: the listener speaks TLS and asks its clients for a certificate, which `protectRoutes` judges. */
export const httpsOptions = (tls: TlsStore) => ({
  ...tls.current.options,
  requestCert: true,
  // Probes of an orchestrator have no certificate: who has none is refused by route.
  rejectUnauthorized: false,
  secureOptions: constants.SSL_OP_NO_TICKET,
});

/** Follows changes of the certificates. Returns how to stop. */
export const followCertificates = (app: FastifyInstance, tls: TlsStore): (() => void) =>
  tls.onChange(({ options }) =>
    (app.server as unknown as HttpsServer).setSecureContext({
      ...options,
      secureOptions: constants.SSL_OP_NO_TICKET,
    }),
  );

/**
 * Who may ask for what on a service's own listener: health, anybody; metrics, whoever has a certificate; the rest, the
 * gateway.
 *
 * @throws Unauthenticated, Denied
 */
export const authorizeRequest = (request: FastifyRequest): void => {
  const path = request.routeOptions.url ?? '';
  if (path.startsWith('/health/')) return;
  const socket = request.raw.socket as TLSSocket;
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined) {
    throw new Unauthenticated('a client certificate is required', {
      hint: 'Call by the gateway, or with a certificate that the authorities of this installation vouch for.',
    });
  }
  if (path === '/metrics') return;
  const caller = identityOf(certificate);
  if (caller?.kind === 'service' && caller.name === 'gateway') return;
  const told =
    caller === undefined ? 'a caller whose certificate names nobody of Millrace' : identityText(caller);
  throw new Denied(`${told} may not call ${request.method} ${path}`, { hint: 'Call by the gateway.' });
};
