import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Conflict } from '@millrace/errors';
import { canonicalHost, issueCertificate, standardHosts } from './authority.ts';
import { type Authority, issuerIn, validityFrom } from './authority-folder.ts';
import {
  createFolder,
  type FolderContent,
  publicFile,
  readIfThere,
  replaceFiles,
  secretFile,
} from './files.ts';
import { alternativeNames, type Identity, identityOf, identityText } from './identity.ts';

/** A certificate of a directory, as it is found there. */
export interface HeldCertificate {
  readonly identity: Identity;
  readonly certificate: X509Certificate;
  /** Names and addresses besides those that every holder has. */
  readonly hosts: readonly string[];
  /** Whether the key is there and belongs to the certificate. */
  readonly complete: boolean;
  /** The authority that signed it; `undefined` when it is none of the directory's. */
  readonly issuer: X509Certificate | undefined;
}

/** The certificate of one holder, or `undefined` when it has none. */
export const readHolder = async (
  directory: string,
  name: string,
  authority: Authority,
): Promise<HeldCertificate | undefined> => {
  const [text, key] = await Promise.all(
    ['tls.crt', 'tls.key'].map((file) => readIfThere(join(directory, name, file))),
  );
  if (text === undefined) return undefined;
  const certificate = new X509Certificate(text);
  const identity = identityOf(certificate);
  const issuer = issuerIn(authority.bundle, certificate);
  if (identity === undefined) {
    throw new Conflict(`${join(directory, name, 'tls.crt')} was not made by Millrace`, {
      hint: 'Move it away, or choose another directory.',
    });
  }
  const names = alternativeNames(certificate.subjectAltName).filter(({ type }) => type !== 'URI');
  const standard = new Set(standardHosts(name).map(canonicalHost));
  return {
    identity,
    certificate,
    hosts: names.map(({ value }) => canonicalHost(value)).filter((host) => !standard.has(host)),
    complete: key !== undefined && certificate.checkPrivateKey(createPrivateKey(key)),
    issuer,
  };
};

/** The names of all holders in a directory. */
export const holdersIn = async (directory: string): Promise<readonly string[]> => {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && entry.name !== 'ca' && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();
};

/** Issues a certificate into its folder, with what the holder trusts. An earlier one is replaced. */
export const writeHolder = async (
  directory: string,
  authority: Authority,
  { identity, hosts, days, now }: { identity: Identity; hosts: readonly string[]; days: number; now: Date },
): Promise<void> => {
  const { certificate, key } = await issueCertificate(authority, {
    identity,
    hosts,
    validity: validityFrom(now, days),
  });
  const content: FolderContent = {
    ...trustOf(authority),
    'tls.key': secretFile(key),
    'tls.crt': publicFile(certificate),
    // MongoDB's server wants both in one file.
    ...(identity.name === 'mongodb' ? { 'tls.pem': secretFile(certificate + key) } : {}),
  };
  const folder = join(directory, identity.name);
  await createFolder(folder, content).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code !== 'ENOTEMPTY' && thrown.code !== 'EEXIST') throw thrown;
    return replaceFiles(folder, content);
  });
};

/** What a holder needs to check its peers. */
const trustOf = ({ bundle, revocationLists }: Authority): FolderContent => ({
  'ca.crt': publicFile(bundle.join('')),
  'ca.crl': publicFile(revocationLists.join('')),
});

/** Gives every holder what it needs to check its peers. */
export const distributeTrust = async (directory: string, authority: Authority): Promise<void> => {
  for (const name of await holdersIn(directory)) {
    await replaceFiles(join(directory, name), trustOf(authority));
  }
};

/** Throws `Conflict` for a certificate that another authority signed: it is somebody's, and is not replaced. */
export const requireOwn = (directory: string, { identity, issuer }: HeldCertificate): void => {
  if (issuer !== undefined) return;
  throw new Conflict(
    `the certificate of ${identityText(identity)} in ${directory} was signed by another authority than the one there`,
    { hint: 'Move it away, or choose another directory.' },
  );
};
