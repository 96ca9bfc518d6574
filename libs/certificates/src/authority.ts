import { createPrivateKey, randomBytes, type webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { JsonGeneralNames } from '@peculiar/x509';
import { type Identity, identityUri } from './identity.ts';
import { loadX509 } from './x509.ts';

/** A certificate and its private key, as PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface Validity {
  readonly from: Date;
  readonly until: Date;
}

export interface LeafRequest {
  readonly identity: Identity;
  /** Further names and IP addresses under which the holder is reached. */
  readonly hosts: readonly string[];
  readonly validity: Validity;
}

/** ECDSA on P-256: known to every TLS library that NATS, MongoDB, Node and proxies are built with. */
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

const generateKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

/** Positive, and of 127 random bits: RFC 5280, section 4.1.2.2, allows 20 bytes. */
const newSerialNumber = (): string => {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString('hex');
};

const pemOfKey = async (key: webcrypto.CryptoKey): Promise<string> =>
  createPrivateKey({
    key: Buffer.from(await crypto.subtle.exportKey('pkcs8', key)),
    format: 'der',
    type: 'pkcs8',
  })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();

const keyFromPem = (pem: string): Promise<webcrypto.CryptoKey> =>
  crypto.subtle.importKey(
    'pkcs8',
    createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' }),
    algorithm,
    false,
    ['sign'],
  );

/** With a final line end, so that files can be put one after the other. */
const asPem = (text: string): string => `${text.trim()}\n`;

/** Makes a certificate authority, which may sign certificates of holders but no further authority. */
export const createAuthority = async (validity: Validity): Promise<KeyPair> => {
  const x509 = await loadX509();
  const keys = await generateKeys();
  const serialNumber = newSerialNumber();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    // Two authorities of one installation must differ by name, else a verifier may take the wrong one.
    name: [{ O: ['Millrace'] }, { CN: [`Millrace development CA ${serialNumber.slice(0, 8)}`] }],
    notBefore: validity.from,
    notAfter: validity.until,
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: asPem(certificate.toString('pem')), key: await pemOfKey(keys.privateKey) };
};

/** Issues a certificate with a key of its own. */
export const issueCertificate = async (
  authority: KeyPair,
  { identity, hosts, validity }: LeafRequest,
): Promise<KeyPair> => {
  const x509 = await loadX509();
  const keys = await generateKeys();
  const issuer = new x509.X509Certificate(authority.certificate);
  const usages: string[] = [x509.ExtendedKeyUsage.clientAuth];
  // Servers too are clients of each other: members of a cluster, replicas, services.
  if (identity.kind !== 'client') usages.push(x509.ExtendedKeyUsage.serverAuth);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: [{ O: ['Millrace'] }, { OU: [identity.kind] }, { CN: [identity.name] }],
    issuer: issuer.subjectName,
    notBefore: validity.from,
    notAfter: new Date(Math.min(validity.until.getTime(), issuer.notAfter.getTime())),
    publicKey: keys.publicKey,
    signingKey: await keyFromPem(authority.key),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(usages),
      new x509.SubjectAlternativeNameExtension(namesOf(identity, hosts)),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: asPem(certificate.toString('pem')), key: await pemOfKey(keys.privateKey) };
};

/** The names by which every holder is known, besides the hosts that were asked for. */
export const standardHosts = (name: string): readonly string[] => [
  name,
  `${name}.millrace`,
  'localhost',
  '127.0.0.1',
  '::1',
];

/** One spelling of each: Node writes the addresses in a certificate in full. */
export const canonicalHost = (host: string): string =>
  isIP(host) === 6 ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host.toLowerCase();

const namesOf = (identity: Identity, hosts: readonly string[]): JsonGeneralNames => [
  { type: 'url', value: identityUri(identity) },
  ...[...new Set([...standardHosts(identity.name), ...hosts])].map((value) => ({
    type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const),
    value,
  })),
];

/**
 * Signs the list of an authority's revoked certificates.
 *
 * @param revoked serial numbers, hexadecimal
 */
export const createRevocationList = async (
  authority: KeyPair,
  revoked: readonly string[],
  now: Date,
): Promise<string> => {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(authority.certificate);
  const list = await x509.X509CrlGenerator.create({
    issuer: issuer.subjectName,
    thisUpdate: now,
    // A list that has run out makes every certificate unusable; nobody renews that of a development authority.
    nextUpdate: issuer.notAfter,
    signingKey: await keyFromPem(authority.key),
    signingAlgorithm: algorithm,
    entries: revoked.map((serialNumber) => ({ serialNumber, revocationDate: now })),
    extensions: [await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey)],
  });
  return asPem(x509.PemConverter.encode(list.rawData, 'X509 CRL'));
};

/** The serial numbers in a list of revoked certificates, hexadecimal. */
export const revokedIn = async (list: string): Promise<readonly string[]> => {
  const { X509Crl } = await loadX509();
  return new X509Crl(list).entries.map(({ serialNumber }) => serialNumber);
};

/** The certificates, or lists, of a PEM file with several. */
export const splitPem = (text: string, label: 'CERTIFICATE' | 'X509 CRL'): readonly string[] =>
  [...text.matchAll(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, 'g'))].map(([block]) =>
    asPem(block),
  );

/** Reads the certificates of a PEM file. */
export const parseCertificates = (text: string): readonly X509Certificate[] =>
  splitPem(text, 'CERTIFICATE').map((block) => new X509Certificate(block));
