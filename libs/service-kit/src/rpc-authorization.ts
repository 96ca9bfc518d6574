import { X509Certificate } from 'node:crypto';
import type { ServerUnaryCall } from '@grpc/grpc-js';
import { type Identity, identityOf, identityText } from '@millrace/certificates';
import { Denied } from '@millrace/errors';
import { callersOf } from './rpc-callers.ts';

/** Certificates whose identity is remembered: a peer has one at a time, so few are in use. */
const maxRemembered = 256;

/**
 * Finds who makes a call, from the certificate of its connection and nothing else: what metadata says of the caller
 * is what the caller likes to say.
 */
export class CallerIdentities {
  readonly #known = new Map<string, Identity | undefined>();

  of(call: ServerUnaryCall<unknown, unknown>): Identity | undefined {
    // Empty unless the certificate was verified.
    const certificate = call.getAuthContext().sslPeerCertificate;
    if (certificate === undefined) return undefined;
    const { fingerprint512, raw } = certificate;
    if (!this.#known.has(fingerprint512)) {
      if (this.#known.size >= maxRemembered) this.#known.clear();
      this.#known.set(fingerprint512, identityOf(new X509Certificate(raw)));
    }
    return this.#known.get(fingerprint512);
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
