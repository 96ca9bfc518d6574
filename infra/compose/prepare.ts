import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { maxPayloadBytes } from '@millrace/broker';
import { busLogins, nkeyFileOf, nkeyFiles, serverAccounts } from '@millrace/bus';
import { createCertificates } from '@millrace/certificates';
import { serviceNames } from '@millrace/service-kit';

/**
 * Only the directory itself is closed to others: its files are mounted into containers, whose users are not those of
 * this machine.
 */
const directoryMode = 0o700;
const mountedMode = 0o644;

const bucketUser = 'millrace';
const mongoMembers = ['mongodb-1', 'mongodb-2', 'mongodb-3'];

/** Writes a file unless it is there: what is secret stays the same while volumes live. */
const keep = async (file: string, make: () => string): Promise<string> => {
  await writeFile(file, make(), { flag: 'wx', mode: mountedMode }).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code !== 'EEXIST') throw thrown;
  });
  return readFile(file, 'utf8');
};

const secret = (): string => randomBytes(24).toString('base64url');

/** Makes the certificates of every holder, or renews what is due. Running services read them again. */
const prepareCertificates = async (directory: string): Promise<void> => {
  const certificates = join(directory, 'certificates');
  const holders = await createCertificates({
    directory: certificates,
    services: serviceNames,
    hosts: mongoMembers,
    now: new Date(),
  });
  for (const { name } of holders) {
    await chmod(join(certificates, name), 0o755);
    await chmod(join(certificates, name, 'tls.key'), mountedMode);
  }
  await chmod(join(certificates, 'mongodb', 'tls.pem'), mountedMode);
};

const prepareObjectStore = async (directory: string): Promise<void> => {
  const password = await keep(join(directory, 'object-store-password'), secret);
  const credentials = `[default]\naws_access_key_id = ${bucketUser}\naws_secret_access_key = ${password}\n`;
  await keep(join(directory, 'object-store.credentials'), () => credentials);
  await keep(
    join(directory, 'object-store.env'),
    () => `ROOT_ACCESS_KEY=${bucketUser}\nROOT_SECRET_KEY=${password}\n`,
  );
};

/** A user of MongoDB per service, and one that makes them. */
const prepareMongo = async (directory: string): Promise<void> => {
  await keep(join(directory, 'mongodb-key'), () => randomBytes(512).toString('base64'));
  const users = ['root', ...serviceNames];
  const text = await keep(join(directory, 'mongodb-passwords.json'), () =>
    JSON.stringify(Object.fromEntries(users.map((user) => [user, secret()]))),
  );
  const passwords = JSON.parse(text) as Record<string, string>;
  for (const service of serviceNames) {
    await mkdir(join(directory, service), { recursive: true });
    await keep(join(directory, service, 'mongodb-password'), () => passwords[service] ?? '');
  }
};

/**
 * The broker's settings: a user with an account of its own for each service, TLS, JetStream on the volume, and health on
 * loopback for the container's own check. Written anew each time, as rights follow from what services need.
 */
const prepareBroker = async (directory: string): Promise<void> => {
  const keys = join(directory, 'nats-keys');
  const proofs = await nkeyFiles(keys);
  for (const user of busLogins) await chmod(nkeyFileOf(keys, user), mountedMode);
  const settings = {
    listen: '0.0.0.0:4222',
    http: '127.0.0.1:8222',
    max_payload: maxPayloadBytes,
    tls: { cert_file: '/run/millrace/tls/tls.crt', key_file: '/run/millrace/tls/tls.key' },
    jetstream: { store_dir: '/data', sync_interval: '5s' },
    ...serverAccounts(proofs),
  };
  // The server reads JSON as a subset of its own format.
  await writeFile(join(directory, 'nats-server.conf'), `${JSON.stringify(settings, null, 2)}\n`, {
    mode: mountedMode,
  });
};

/**
 * Makes what the containers need and the repository must not hold: certificates, tokens and passwords. What is there
 * stays; certificates that are due are renewed.
 */
export const prepare = async (directory: string): Promise<void> => {
  await mkdir(directory, { recursive: true, mode: directoryMode });
  await chmod(directory, directoryMode);
  await keep(join(directory, 'gateway-token'), secret);
  await keep(join(directory, 'grafana-password'), secret);
  await keep(join(directory, 'webhook-secrets-key'), () => randomBytes(32).toString('hex'));
  await prepareBroker(directory);
  await prepareObjectStore(directory);
  await prepareMongo(directory);
  await prepareCertificates(directory);
};
