import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

/** JetStream on the volume; health on loopback, for the container's own check. */
const natsConfig = `listen: 0.0.0.0:4222
http: 127.0.0.1:8222
jetstream { store_dir: /data }
`;

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
  await keep(join(directory, 'nats-server.conf'), () => natsConfig);
  await prepareObjectStore(directory);
  await prepareMongo(directory);
  await prepareCertificates(directory);
};
