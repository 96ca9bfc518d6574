import { execFile } from 'node:child_process';
import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { locateNatsServer } from '@millrace/broker';
import { createCertificates } from '@millrace/certificates';
import { afterAll, beforeAll, expect, it } from 'vitest';

const run = promisify(execFile);
const here = import.meta.dirname;

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-nats-conf-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const renderAccounts = async (env: Readonly<Record<string, string>> = {}): Promise<string> => {
  const { stdout } = await run(process.execPath, [join(here, 'accounts.ts'), join(directory, 'keys')], {
    env: { ...process.env, ...env },
  });
  return stdout;
};

it('the configuration of a cluster is one that the server takes', async () => {
  const made = join(directory, 'certificates');
  await createCertificates({ directory: made, services: [], hosts: ['n1'], now: new Date() });
  await cp(join(made, 'nats'), directory, { recursive: true });
  await copyFile(join(here, 'cluster.conf'), join(directory, 'cluster.conf'));
  await writeFile(join(directory, 'accounts.conf'), await renderAccounts());
  const { path } = await locateNatsServer();
  const { stderr } = await run(path, ['-c', 'cluster.conf', '-t'], {
    cwd: directory,
    env: { ...process.env, NODE: 'n1' },
  });
  expect(stderr).toContain('is valid');
});

it('what is printed of the accounts holds no seed, and a password only where one was given', async () => {
  const printed = await renderAccounts({ MILLRACE_NATS_PASSWORD_OBSERVER: '$2a$11$hash' });
  const seed = (await readFile(join(directory, 'keys', 'registry.nk'), 'utf8')).trim();
  expect(seed).toMatch(/^SU/);
  expect(printed).not.toContain(seed);
  expect(printed.match(/"password"/g)).toHaveLength(1);
  expect(printed).toContain('"user": "observer"');
});
