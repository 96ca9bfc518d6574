import type { X509Certificate } from 'node:crypto';

/**
 * What the holder of a certificate is: a service of Millrace, a server that it uses (NATS, MongoDB), or a client that
 * serves nothing (an operator, a test).
 */
export type HolderKind = 'service' | 'server' | 'client';

/** Who somebody is, as its certificate says. */
export interface Identity {
  readonly kind: HolderKind;
  readonly name: string;
}

const prefix = 'spiffe://millrace/';
const pattern = /^(service|server|client)\/([a-z][a-z0-9-]{0,62})$/;

/** Whether it can name the holder of a certificate: it is also a DNS label and the name of a folder. */
export const isHolderName = (name: string): boolean => /^[a-z][a-z0-9-]{0,62}$/.test(name);

/** The URI in a certificate that says who holds it, by the scheme of SPIFFE: `spiffe://millrace/service/ingest`. */
export const identityUri = ({ kind, name }: Identity): string => `${prefix}${kind}/${name}`;

/** `service ingest` */
export const identityText = ({ kind, name }: Identity): string => `${kind} ${name}`;

/**
 * Who a certificate says its holder is; `undefined` when it does not say so in exactly one URI, as SPIFFE asks
 * (https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md). Names of hosts and subjects do not count.
 * Whether the certificate can be trusted must have been checked before.
 */
export const identityOf = (certificate: X509Certificate): Identity | undefined => {
  const uris = alternativeNames(certificate.subjectAltName).filter(({ type }) => type === 'URI');
  const [first, second] = uris;
  if (first === undefined || second !== undefined || !first.value.startsWith(prefix)) return undefined;
  const [, kind, name] = pattern.exec(first.value.slice(prefix.length)) ?? [];
  return name === undefined ? undefined : { kind: kind as HolderKind, name };
};

/** One name of a certificate; `type` is `DNS`, `IP Address`, `URI` … */
export interface AlternativeName {
  readonly type: string;
  readonly value: string;
}

/**
 * The names in Node's text form of them, `DNS:a, URI:b`. A value that could be taken for two is a JSON string there
 * (https://nodejs.org/api/crypto.html#x509subjectaltname), so commas within quotes separate nothing.
 */
export const alternativeNames = (text: string | undefined): readonly AlternativeName[] =>
  [...(text ?? '').matchAll(/([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)].map(
    ([, type = '', value = '']) => ({
      type,
      value: value.startsWith('"') ? (JSON.parse(value) as string) : value,
    }),
  );
