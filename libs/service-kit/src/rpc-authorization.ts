import { X509Certificate } from 'node:crypto';
import type { ServerUnaryCall } from '@grpc/grpc-js';
import { type Identity, identityOf, identityText } from '@millrace/certificates';
import { Denied } from '@millrace/errors';
import { callersOf } from './rpc-callers.ts';

/**
 * The HTTP/2 session that carries a call: one TLS connection, so one certificate. grpc-js does not offer it; where a
 * later version hides it better, each call is looked at on its own.
 */
const sessionOf = (call: object): object | undefined =>
  (call as { readonly call?: { readonly stream?: { readonly session?: object } } }).call?.stream?.session;

/**
 * Finds who makes a call, from the certificate of its connection and nothing else: what metadata says of the caller
 * is what the caller likes to say.
 */
export class CallerIdentities {
  /** Reading a certificate takes longer than answering many a call. */
  readonly #known = new WeakMap<object, Identity>();

  of(call: ServerUnaryCall<unknown, unknown>): Identity | undefined {
    const session = sessionOf(call);
    const known = session === undefined ? undefined : this.#known.get(session);
    if (known !== undefined) return known;
    // Empty unless the certificate was verified.
    const certificate = call.getAuthContext().sslPeerCertificate;
    const identity = certificate === undefined ? undefined : identityOf(new X509Certificate(certificate.raw));
    if (session !== undefined && identity !== undefined) this.#known.set(session, identity);
    return identity;
  }
}

/** Throws `Denied` unless the table of callers has this one for the method, `package.Service/Method`. */
export const authorizeCall = (caller: Identity | undefined, method: string): void => {
  if (caller === undefined) {
    throw new Denied(`a caller whose certificate names nobody of Millrace may not call ${method}`, {
      hint: 'Its certificate needs exactly one URI, spiffe://millrace/service/<name>.',
    });
  }
  const allowed: readonly string[] = callersOf(method) ?? [];
  if (caller.kind === 'service' && allowed.includes(caller.name)) return;
  throw new Denied(`${identityText(caller)} may not call ${method}`, {
    hint: 'Who may is said in libs/service-kit/src/rpc-callers.ts.',
    details: { caller: identityText(caller), method },
  });
};
