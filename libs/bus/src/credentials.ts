import { readFileSync } from 'node:fs';
import { FailedPrecondition, messageOf } from '@millrace/errors';
import {
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  type TlsOptions,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';

/** How to prove who connects. Files are read again at each connection, so that they can be exchanged. */
export type BusCredentials =
  | { readonly user: string; readonly password: string }
  | { readonly user: string; readonly passwordFile: string }
  /** File with the seed of an NKey (`SU…`). */
  | { readonly nkeyFile: string }
  /** File with a user's JWT and NKey seed, as `nsc` writes it. */
  | { readonly credsFile: string };

/** Files (PEM) to talk TLS with. They are read again at each connection, so that they can be exchanged. */
export interface BusTls {
  /** Authorities that the server's certificate is checked against; default those of the system. */
  readonly ca?: string;
  /** Shown to a server that asks for a certificate; with its key. */
  readonly cert?: string;
  readonly key?: string;
}

/** Throws `FailedPrecondition` at the connection when a file cannot be read. */
export const authenticatorOf = (credentials: BusCredentials): Authenticator => {
  if ('nkeyFile' in credentials) {
    return (nonce) => nkeyAuthenticator(encoded(secretOf(credentials.nkeyFile)))(nonce);
  }
  if ('credsFile' in credentials) {
    return (nonce) => credsAuthenticator(encoded(secretOf(credentials.credsFile)))(nonce);
  }
  return usernamePasswordAuthenticator(credentials.user, () =>
    'password' in credentials ? credentials.password : secretOf(credentials.passwordFile),
  );
};

export const tlsOptionsOf = ({ ca, cert, key }: BusTls): TlsOptions => ({
  ...(ca === undefined ? {} : { caFile: ca }),
  ...(cert === undefined ? {} : { certFile: cert }),
  ...(key === undefined ? {} : { keyFile: key }),
});

const encoded = (text: string): Uint8Array => new TextEncoder().encode(text);

const secretOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (thrown) {
    throw new FailedPrecondition(`the credentials of the broker cannot be read: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
};
