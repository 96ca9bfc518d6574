import { isIP } from 'node:net';
import { FailedPrecondition, Invalid, NotFound } from '@millrace/errors';
import { canonicalHost, parseCertificates, revokedIn } from './authority.ts';
import {
  type Authority,
  dayMs,
  dropEarlierAuthorities,
  foundAuthority,
  readAuthority,
  requireValid,
  revoke,
  succeedAuthority,
} from './authority-folder.ts';
import {
  distributeTrust,
  type HeldCertificate,
  holdersIn,
  readHolder,
  requireOwn,
  writeHolder,
} from './holder-folder.ts';
import { type HolderKind, type Identity, identityText, isHolderName } from './identity.ts';

/** Days for which certificates are issued. */
export const defaultDays = 90;
const mostDays = 3650;

/** Servers and clients that have certificates besides the services. */
export const standardHolders: readonly Identity[] = [
  { kind: 'server', name: 'nats' },
  { kind: 'server', name: 'mongodb' },
  { kind: 'client', name: 'operator' },
  { kind: 'client', name: 'prometheus' },
];

/** What became of a holder's certificate. */
export type Outcome = 'created' | 'renewed' | 'kept';

export interface CertificateOutcome {
  readonly name: string;
  readonly outcome: Outcome;
}

export interface CreateCertificatesOptions {
  readonly directory: string;
  /** Services that get one; `standardHolders` do too. */
  readonly services: readonly string[];
  /** Further names and IP addresses that all of them are reached by. */
  readonly hosts?: readonly string[];
  readonly days?: number;
  readonly now: Date;
}

/**
 * Makes development certificates: an authority, where there is none, and a certificate for each holder. What is there
 * and good stays; what is due, damaged, of an earlier authority or lacks a host is issued anew.
 *
 * @throws Invalid on a name, host or number of days that cannot be
 * @throws Conflict when a certificate of another authority is in the way
 */
export const createCertificates = async ({
  directory,
  services,
  hosts: wanted = [],
  days = defaultDays,
  now,
}: CreateCertificatesOptions): Promise<readonly CertificateOutcome[]> => {
  checkDays(days);
  wanted.forEach(checkHost);
  services.forEach(checkName);
  const authority = await readAuthority(directory).catch((thrown: unknown) => {
    if (thrown instanceof NotFound) return foundAuthority(directory, now);
    throw thrown;
  });
  requireValid(authority, now);
  const hosts = wanted.map(canonicalHost);
  const holders = [...new Set(services)].map((name): Identity => ({ kind: 'service', name }));
  const outcomes: CertificateOutcome[] = [];
  for (const identity of [...holders, ...standardHolders]) {
    const held = await readHolder(directory, identity.name, authority);
    if (held !== undefined) requireOwn(directory, held);
    const missing = hosts.filter((host) => !held?.hosts.includes(host));
    if (held !== undefined && missing.length === 0 && dueReason(held, authority, now) === undefined) {
      outcomes.push({ name: identity.name, outcome: 'kept' });
      continue;
    }
    await writeHolder(directory, authority, {
      identity,
      hosts: [...(held?.hosts ?? []), ...missing],
      days,
      now,
    });
    outcomes.push({ name: identity.name, outcome: held === undefined ? 'created' : 'renewed' });
  }
  return outcomes;
};

export interface RenewCertificatesOptions {
  readonly directory: string;
  /** Whose; by default everybody's. */
  readonly names?: readonly string[];
  /** Also those that are not due. */
  readonly all?: boolean;
  readonly days?: number;
  readonly now: Date;
}

/**
 * Issues anew, with new keys and the same names, what is due: damaged, of an earlier authority, revoked, or with less
 * than a third of its time left.
 *
 * @throws NotFound when there is no authority, or nobody of that name
 */
export const renewCertificates = async ({
  directory,
  names,
  all = false,
  days = defaultDays,
  now,
}: RenewCertificatesOptions): Promise<readonly CertificateOutcome[]> => {
  checkDays(days);
  const authority = await readAuthority(directory);
  requireValid(authority, now);
  const revoked = await revokedSerials(authority);
  const outcomes: CertificateOutcome[] = [];
  for (const name of names ?? (await holdersIn(directory))) {
    const held = await requireHolder(directory, name, authority);
    requireOwn(directory, held);
    const due = all || dueReason(held, authority, now) !== undefined || revoked.has(serialOf(held));
    if (due)
      await writeHolder(directory, authority, { identity: held.identity, hosts: held.hosts, days, now });
    outcomes.push({ name, outcome: due ? 'renewed' : 'kept' });
  }
  return outcomes;
};

/**
 * First step of a change of authority: makes the next one, and has every holder trust both. Certificates stay those of
 * the old one until `renewCertificates`, by which time every peer should have noticed the new one.
 *
 * @throws FailedPrecondition when the last change was not brought to its end
 */
export const beginAuthorityChange = async (directory: string, now: Date): Promise<void> => {
  const { bundle } = await readAuthority(directory);
  if (bundle.length > 1) {
    throw new FailedPrecondition('a change of the certificate authority is under way', {
      hint: 'End it with `millrace certs renew`, then `millrace certs renew --retire-ca`.',
    });
  }
  await distributeTrust(directory, await succeedAuthority(directory, now));
};

/**
 * Last step of a change of authority: earlier ones are trusted no more.
 *
 * @throws FailedPrecondition while somebody holds a certificate of an earlier one
 */
export const endAuthorityChange = async (directory: string): Promise<void> => {
  const authority = await readAuthority(directory);
  for (const name of await holdersIn(directory)) {
    const held = await requireHolder(directory, name, authority);
    if (held.issuer?.fingerprint256 === authority.parsed.fingerprint256) continue;
    throw new FailedPrecondition(
      `${identityText(held.identity)} still has a certificate of an earlier authority`,
      { hint: 'Issue new ones first: `millrace certs renew`.' },
    );
  }
  await distributeTrust(directory, await dropEarlierAuthorities(directory));
};

/**
 * Revokes a holder's certificate: peers that read the list (`ca.crl`) refuse it from then on. Its folder stays, so that
 * `renewCertificates` issues it a new one.
 */
export const revokeCertificate = async (directory: string, name: string, now: Date): Promise<void> => {
  const authority = await readAuthority(directory);
  const held = await requireHolder(directory, name, authority);
  if (held.issuer?.fingerprint256 !== authority.parsed.fingerprint256) {
    throw new FailedPrecondition(
      `${identityText(held.identity)} has no certificate of the present authority`,
      {
        hint: 'One of an earlier authority ends with `millrace certs renew --retire-ca`.',
      },
    );
  }
  await distributeTrust(directory, await revoke(directory, authority, [serialOf(held)], now));
};

export type CertificateState = 'good' | 'due' | 'expired' | 'revoked' | 'damaged' | 'foreign';

/** What `millrace certs show` tells of one certificate. */
export interface CertificateSummary {
  readonly name: string;
  readonly kind: HolderKind | 'authority';
  readonly state: CertificateState;
  /** ISO 8601. */
  readonly expires: string;
  readonly daysLeft: number;
  readonly hosts: readonly string[];
  readonly serial: string;
}

/** Tells of the authorities, the present one first, and of every holder's certificate. */
export const describeCertificates = async (
  directory: string,
  now: Date,
): Promise<readonly CertificateSummary[]> => {
  const authority = await readAuthority(directory);
  const revoked = await revokedSerials(authority);
  const rows: CertificateSummary[] = authorityRows(authority, now);
  for (const name of await holdersIn(directory)) {
    const held = await requireHolder(directory, name, authority);
    rows.push({
      name,
      kind: held.identity.kind,
      state: revoked.has(serialOf(held)) ? 'revoked' : (dueReason(held, authority, now) ?? 'good'),
      ...lifetimeOf(held.certificate, now),
      hosts: held.hosts,
      serial: serialOf(held),
    });
  }
  return rows;
};

const authorityRows = ({ bundle, parsed }: Authority, now: Date): CertificateSummary[] => {
  return parseCertificates(bundle.join('')).map((certificate) => ({
    name: certificate.fingerprint256 === parsed.fingerprint256 ? 'ca' : 'ca (earlier)',
    kind: 'authority',
    state: now < certificate.validToDate ? 'good' : 'expired',
    ...lifetimeOf(certificate, now),
    hosts: [],
    serial: certificate.serialNumber.toLowerCase(),
  }));
};

const lifetimeOf = ({ validToDate }: HeldCertificate['certificate'], now: Date) => ({
  expires: validToDate.toISOString(),
  daysLeft: Math.floor((validToDate.getTime() - now.getTime()) / dayMs),
});

const serialOf = ({ certificate }: HeldCertificate): string => certificate.serialNumber.toLowerCase();

const revokedSerials = async ({ revocationLists }: Authority): Promise<ReadonlySet<string>> =>
  new Set((await Promise.all(revocationLists.map(revokedIn))).flat().map((serial) => serial.toLowerCase()));

/** Why a certificate should be issued anew; `undefined` when it is good. */
const dueReason = (
  { certificate, complete, issuer }: HeldCertificate,
  authority: Authority,
  now: Date,
): 'due' | 'expired' | 'damaged' | 'foreign' | undefined => {
  const { validFromDate, validToDate } = certificate;
  if (issuer === undefined) return 'foreign';
  if (!complete) return 'damaged';
  if (now >= validToDate) return 'expired';
  const left = validToDate.getTime() - now.getTime();
  const lifetime = validToDate.getTime() - validFromDate.getTime();
  const ofEarlier = issuer.fingerprint256 !== authority.parsed.fingerprint256;
  return ofEarlier || left < lifetime / 3 ? 'due' : undefined;
};

const requireHolder = async (
  directory: string,
  name: string,
  authority: Authority,
): Promise<HeldCertificate> => {
  checkName(name);
  const held = await readHolder(directory, name, authority);
  if (held !== undefined) return held;
  throw new NotFound(`${directory} has no certificate of ${name}`);
};

const checkName = (name: string): void => {
  if (isHolderName(name) && name !== 'ca') return;
  throw Invalid.field('name', `${JSON.stringify(name)} cannot name the holder of a certificate`, {
    hint: 'Lower-case letters, digits and hyphens, beginning with a letter, at most 63.',
  });
};

const checkHost = (host: string): void => {
  const isDns = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;
  if (isIP(host) !== 0 || (isDns.test(host) && host.length <= 253)) return;
  throw Invalid.field('hosts', `${JSON.stringify(host)} is neither the name of a host nor an IP address`);
};

const checkDays = (days: number): void => {
  if (Number.isInteger(days) && days >= 1 && days <= mostDays) return;
  throw Invalid.field('days', `must be a whole number from 1 to ${mostDays}`);
};
