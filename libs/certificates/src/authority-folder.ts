import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Conflict, FailedPrecondition, NotFound } from '@millrace/errors';
import {
  createAuthority,
  createRevocationList,
  type KeyPair,
  parseCertificates,
  revokedIn,
  splitPem,
  type Validity,
} from './authority.ts';
import { createFolder, publicFile, readIfThere, replaceFiles, secretFile } from './files.ts';

/** Milliseconds of a day. */
export const dayMs = 86_400_000;
/** Validity of an authority, days: it is renewed by hand, with an overlap. */
const authorityDays = 3650;
/** A certificate is valid from a little before it was made, for peers whose clocks are behind. Milliseconds. */
const clockSkewMs = 5 * 60_000;

export const validityFrom = (now: Date, days: number): Validity => ({
  from: new Date(now.getTime() - clockSkewMs),
  until: new Date(now.getTime() + days * dayMs),
});

/** The authority of a directory of certificates. */
export interface Authority extends KeyPair {
  readonly parsed: X509Certificate;
  /** What peers trust: this authority first, then earlier ones, as long as certificates of theirs are in use. */
  readonly bundle: readonly string[];
  /** The lists of revoked certificates, in the order of the bundle. */
  readonly revocationLists: readonly string[];
}

export const authorityFolder = (directory: string): string => join(directory, 'ca');

/** Reads the authority. Throws `NotFound` when there is none, `FailedPrecondition` when it cannot be used. */
export const readAuthority = async (directory: string): Promise<Authority> => {
  const folder = authorityFolder(directory);
  const [certificates, key, lists] = await Promise.all(
    ['ca.crt', 'ca.key', 'ca.crl'].map((name) => readIfThere(join(folder, name))),
  );
  if (certificates === undefined && key === undefined) {
    throw new NotFound(`there is no certificate authority in ${directory}`, {
      hint: `Make one with \`millrace certs create --out ${directory}\`.`,
    });
  }
  const bundle = splitPem(certificates ?? '', 'CERTIFICATE');
  const [certificate] = bundle;
  if (certificate === undefined || key === undefined || lists === undefined) {
    throw new FailedPrecondition(`${folder} is not complete: ca.crt, ca.key and ca.crl are needed`, {
      hint: 'Bring the missing file back; a new authority would make every certificate of the old one worthless.',
    });
  }
  const parsed = new X509Certificate(certificate);
  if (!parsed.checkPrivateKey(createPrivateKey(key))) {
    throw new FailedPrecondition(`${folder}: ca.key is not the key of the first certificate in ca.crt`);
  }
  return { certificate, key, parsed, bundle, revocationLists: splitPem(lists, 'X509 CRL') };
};

/** Throws `FailedPrecondition` when the authority can sign nothing that would be trusted. */
export const requireValid = (authority: Authority, now: Date): void => {
  if (now < authority.parsed.validToDate) return;
  throw new FailedPrecondition(
    `the certificate authority expired at ${authority.parsed.validToDate.toISOString()}`,
    {
      hint: 'Make the next one with `millrace certs renew --new-ca`, then `millrace certs renew`.',
    },
  );
};

/** Makes the authority of a directory that has none. Throws `Conflict` when another process was faster. */
export const foundAuthority = async (directory: string, now: Date): Promise<Authority> => {
  const pair = await createAuthority(validityFrom(now, authorityDays));
  const list = await createRevocationList(pair, [], now);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    await createFolder(authorityFolder(directory), {
      'ca.key': secretFile(pair.key),
      'ca.crt': publicFile(pair.certificate),
      'ca.crl': publicFile(list),
    });
  } catch (thrown) {
    throw new Conflict(`${authorityFolder(directory)} is there already`, { cause: thrown });
  }
  return readAuthority(directory);
};

/** Puts a new authority before the present one, which stays trusted. */
export const succeedAuthority = async (directory: string, now: Date): Promise<Authority> => {
  const old = await readAuthority(directory);
  const pair = await createAuthority(validityFrom(now, authorityDays));
  const list = await createRevocationList(pair, [], now);
  await replaceFiles(authorityFolder(directory), {
    'ca.crl': publicFile([list, ...old.revocationLists].join('')),
    'ca.crt': publicFile([pair.certificate, ...old.bundle].join('')),
    'ca.key': secretFile(pair.key),
  });
  return readAuthority(directory);
};

/** Trusts the present authority only. */
export const dropEarlierAuthorities = async (directory: string): Promise<Authority> => {
  const { certificate, revocationLists } = await readAuthority(directory);
  await replaceFiles(authorityFolder(directory), {
    'ca.crt': publicFile(certificate),
    'ca.crl': publicFile(revocationLists[0] ?? ''),
  });
  return readAuthority(directory);
};

/** Adds certificates to the list of those that are revoked. */
export const revoke = async (
  directory: string,
  authority: Authority,
  serialNumbers: readonly string[],
  now: Date,
): Promise<Authority> => {
  const [current = '', ...earlier] = authority.revocationLists;
  const known = await revokedIn(current);
  const all = [...new Set([...known, ...serialNumbers].map((serial) => serial.toLowerCase()))];
  const list = await createRevocationList(authority, all, now);
  await replaceFiles(authorityFolder(directory), { 'ca.crl': publicFile([list, ...earlier].join('')) });
  return readAuthority(directory);
};

/** The authority in a bundle that signed a certificate. */
export const issuerIn = (
  bundle: readonly string[],
  certificate: X509Certificate,
): X509Certificate | undefined =>
  parseCertificates(bundle.join('')).find(
    (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
  );
