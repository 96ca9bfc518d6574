import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ErrorCode } from '@millrace/errors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  beginAuthorityChange,
  createCertificates,
  describeCertificates,
  endAuthorityChange,
  identityOf,
  renewCertificates,
  revokeCertificate,
} from '../src/index.ts';

const now = new Date('2026-03-01T12:00:00Z');
const later = (days: number): Date => new Date(now.getTime() + days * 86_400_000);

let directory: string;
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'millrace-certs-')), 'certs');
});
afterEach(() => rm(join(directory, '..'), { recursive: true, force: true }));

const create = (more: Partial<Parameters<typeof createCertificates>[0]> = {}) =>
  createCertificates({ directory, services: ['ingest', 'registry'], now, ...more });
const read = (...path: string[]) => readFile(join(directory, ...path), 'utf8');
const certificateOf = async (name: string) => new X509Certificate(await read(name, 'tls.crt'));
const outcomes = async (made: ReturnType<typeof create>) =>
  Object.fromEntries((await made).map(({ name, outcome }) => [name, outcome]));
const stateOf = async (name: string, at = now) =>
  (await describeCertificates(directory, at)).find((row) => row.name === name)?.state;

describe('making certificates', () => {
  it('gives each holder its own, signed by one authority, with its identity and names', async () => {
    const made = await outcomes(create({ hosts: ['10.1.2.3', 'ingest.example.org', 'fd00::7'] }));
    expect(Object.keys(made)).toEqual(['ingest', 'registry', 'nats', 'mongodb', 'operator', 'prometheus']);
    const authority = new X509Certificate(await read('ca', 'ca.crt'));
    expect(authority.ca).toBe(true);
    for (const name of Object.keys(made)) {
      const certificate = await certificateOf(name);
      expect(certificate.verify(authority.publicKey)).toBe(true);
      expect(certificate.ca).toBe(false);
      expect(identityOf(certificate)?.name).toBe(name);
      for (const host of [name, `${name}.millrace`, 'localhost', 'ingest.example.org']) {
        expect(certificate.checkHost(host)).toBe(host);
      }
      for (const address of ['127.0.0.1', '10.1.2.3', 'fd00::7'])
        expect(certificate.checkIP(address)).toBe(address);
      expect(certificate.checkHost('other')).toBeUndefined();
    }
    expect(identityOf(await certificateOf('ingest'))).toEqual({ kind: 'service', name: 'ingest' });
    expect(identityOf(await certificateOf('nats'))).toEqual({ kind: 'server', name: 'nats' });
    expect((await certificateOf('ingest')).keyUsage).toEqual(['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1']);
    expect((await certificateOf('operator')).keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  });

  it('lets only the owner read keys', async () => {
    await create();
    for (const path of ['ca/ca.key', 'ingest/tls.key', 'mongodb/tls.key', 'mongodb/tls.pem']) {
      expect((await stat(join(directory, path))).mode & 0o777).toBe(0o600);
    }
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await readdir(directory)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('again changes nothing', async () => {
    await create({ hosts: ['fd00::7', 'a.example.org'] });
    const before = await read('ingest', 'tls.crt');
    expect(new Set(Object.values(await outcomes(create({ hosts: ['A.example.org'] }))))).toEqual(
      new Set(['kept']),
    );
    expect(await read('ingest', 'tls.crt')).toBe(before);
  });

  it('again adds a service, and a host to all', async () => {
    await create({ hosts: ['a.example.org'] });
    expect(await outcomes(create({ services: ['ingest', 'bridge'] }))).toMatchObject({
      ingest: 'kept',
      bridge: 'created',
    });
    expect(await outcomes(create({ hosts: ['b.example.org'] }))).toMatchObject({ ingest: 'renewed' });
    const certificate = await certificateOf('ingest');
    expect(certificate.checkHost('a.example.org')).toBeDefined();
    expect(certificate.checkHost('b.example.org')).toBeDefined();
  });

  it('again renews what has less than a third of its time left, what is expired and what is damaged', async () => {
    await create({ days: 90 });
    expect(await outcomes(create({ now: later(59) }))).toMatchObject({ ingest: 'kept' });
    expect(await stateOf('ingest', later(61))).toBe('due');
    expect(await outcomes(create({ now: later(61) }))).toMatchObject({ ingest: 'renewed' });
    expect(await stateOf('ingest', later(61 + 91))).toBe('expired');
    await rm(join(directory, 'ingest', 'tls.key'));
    expect(await stateOf('ingest', later(61))).toBe('damaged');
    expect(await outcomes(create({ now: later(61) }))).toMatchObject({ ingest: 'renewed', registry: 'kept' });
    expect(await stateOf('ingest', later(61))).toBe('good');
  });

  it('never replaces an authority', async () => {
    await create();
    const authority = await read('ca', 'ca.crt');
    await expect(create({ now: later(3651) })).rejects.toMatchObject({ code: ErrorCode.failedPrecondition });
    await rm(join(directory, 'ca', 'ca.key'));
    await expect(create()).rejects.toMatchObject({ code: ErrorCode.failedPrecondition });
    expect(await read('ca', 'ca.crt')).toBe(authority);
    expect(await readdir(join(directory, 'ca'))).toEqual(['ca.crl', 'ca.crt']);
  });

  it('by several processes at once ends with one authority', async () => {
    await Promise.allSettled([create(), create(), create()]);
    await create();
    const authority = new X509Certificate(await read('ca', 'ca.crt'));
    expect((await certificateOf('ingest')).verify(authority.publicKey)).toBe(true);
    expect((await readdir(directory)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('leaves the certificate of another authority alone', async () => {
    await create();
    await rm(join(directory, 'ca'), { recursive: true });
    const before = await read('ingest', 'tls.crt');
    await expect(create()).rejects.toMatchObject({ code: ErrorCode.conflict });
    expect(await read('ingest', 'tls.crt')).toBe(before);
    await writeFile(join(directory, 'ingest', 'tls.crt'), await read('ca', 'ca.crt'));
    await expect(create()).rejects.toThrow('was not made by Millrace');
  });

  it.each([
    { services: ['../ingest'] },
    { services: ['ca'] },
    { services: ['Ingest'] },
    { hosts: ['a b'] },
    { hosts: [''] },
    { hosts: ['-a.example.org'] },
    { days: 0 },
    { days: 1.5 },
    { days: 4000 },
  ])('refuses %j and writes nothing', async (wrong) => {
    await expect(create(wrong)).rejects.toMatchObject({ code: ErrorCode.invalid });
    await expect(stat(directory)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('renewing', () => {
  it('takes a new key and keeps names and identity', async () => {
    await create({ hosts: ['a.example.org'] });
    const [certificate, key] = [await certificateOf('ingest'), await read('ingest', 'tls.key')];
    const renewed = await renewCertificates({ directory, names: ['ingest'], all: true, now: later(1) });
    expect(renewed).toEqual([{ name: 'ingest', outcome: 'renewed' }]);
    const next = await certificateOf('ingest');
    expect(next.subjectAltName).toBe(certificate.subjectAltName);
    expect(next.serialNumber).not.toBe(certificate.serialNumber);
    expect(await read('ingest', 'tls.key')).not.toBe(key);
  });

  it('leaves what is not due, and tells of a name that nobody has', async () => {
    await create();
    const kept = await renewCertificates({ directory, now: later(1) });
    expect(kept.every(({ outcome }) => outcome === 'kept')).toBe(true);
    await expect(renewCertificates({ directory, names: ['nobody'], now })).rejects.toMatchObject({
      code: ErrorCode.notFound,
    });
  });

  it('without an authority says how to make one', async () => {
    await expect(renewCertificates({ directory, now })).rejects.toMatchObject({
      code: ErrorCode.notFound,
      hint: expect.stringContaining('certs create'),
    });
  });
});

describe('a change of authority', () => {
  it('goes by an overlap in which both are trusted', async () => {
    await create();
    const old = (await read('ca', 'ca.crt')).trim();
    await beginAuthorityChange(directory, now);
    await expect(beginAuthorityChange(directory, now)).rejects.toMatchObject({
      code: ErrorCode.failedPrecondition,
    });
    const trusted = await read('ingest', 'ca.crt');
    expect(trusted.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(trusted.trim().endsWith(old)).toBe(true);
    expect((await read('ingest', 'ca.crl')).match(/BEGIN X509 CRL/g)).toHaveLength(2);
    expect(await stateOf('ingest')).toBe('due');
    await expect(endAuthorityChange(directory)).rejects.toThrow('service ingest still has');

    await renewCertificates({ directory, now });
    await endAuthorityChange(directory);
    const next = await read('registry', 'ca.crt');
    expect(next.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    expect(next).not.toContain(old);
    const authority = new X509Certificate(next);
    expect((await certificateOf('ingest')).verify(authority.publicKey)).toBe(true);
    expect(await stateOf('ingest')).toBe('good');
  });
});

describe('revoking', () => {
  it('puts a certificate on the list that every holder has, until it has a new one', async () => {
    await create();
    await revokeCertificate(directory, 'ingest', now);
    await revokeCertificate(directory, 'registry', now);
    expect(await stateOf('ingest')).toBe('revoked');
    expect(await stateOf('operator')).toBe('good');
    expect(await read('operator', 'ca.crl')).toBe(await read('ca', 'ca.crl'));
    await renewCertificates({ directory, now });
    expect(await stateOf('ingest')).toBe('good');
    await expect(revokeCertificate(directory, 'nobody', now)).rejects.toMatchObject({
      code: ErrorCode.notFound,
    });
  });
});
