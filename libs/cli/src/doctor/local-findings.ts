import { access, constants, mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { openBlobStore } from '@millrace/blobs';
import { isAtLeast, locateNatsServer, minimumVersion } from '@millrace/broker';
import { tlsFilesIn } from '@millrace/certificates';
import { messageOf } from '@millrace/errors';
import { type RunningState, readRunningState } from '@millrace/installation';
import { certificatesOf, diskOf, openFiles, serviceNames } from '@millrace/service-kit';
import { greetingOf } from './broker-greeting.ts';
import { judgeCertificates } from './diagnosis-findings.ts';
import { judgeDisk, judgeFiles } from './disk-findings.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const neededNode = 24;
const defaultPort = 7700;

/** What can be looked at from here, also while nothing runs. */
export const localFindings = async (dataDir: string, env: NodeJS.ProcessEnv): Promise<readonly Finding[]> => {
  const running = await readRunningState(dataDir);
  const [broker, directory, limits, blobs, port, certificates] = await Promise.all([
    brokerFinding(env, running),
    directoryFinding(dataDir),
    limitsFinding(),
    blobsFinding(dataDir, env),
    portFinding(env, running),
    certificateFindings(dataDir),
  ]);
  return [nodeFinding(), broker, directory, ...limits, ...blobs, ...port, ...certificates];
};

const nodeFinding = (): Finding => {
  const [major = 0] = process.versions.node.split('.').map(Number);
  return major >= neededNode
    ? ok('Node', process.version)
    : fail(
        'Node',
        process.version,
        'Millrace runs its sources on Node 24; `npx millrace` uses the one that npm installed.',
      );
};

/** The broker that runs or that is named, else the program that would be started. */
const brokerFinding = async (env: NodeJS.ProcessEnv, running: RunningState | undefined): Promise<Finding> => {
  const url = env.NATS_URL || running?.natsUrl;
  if (url === undefined) {
    try {
      const { path, source } = await locateNatsServer();
      return ok('nats-server', `${path} (${source})`);
    } catch (thrown) {
      const advice = `Install nats-server ${minimumVersion} or newer, or Go, or set NATS_URL to a running server.`;
      return fail('nats-server', messageOf(thrown), advice);
    }
  }
  try {
    const { version, jetstream } = await greetingOf(url);
    const found = `${version} at ${url}`;
    if (!isAtLeast(version, minimumVersion)) {
      return fail(
        'nats-server',
        found,
        `Install ${minimumVersion} or newer: older ones lose messages and lack security fixes.`,
      );
    }
    return jetstream
      ? ok('nats-server', found)
      : fail(
          'nats-server',
          `${found}, without JetStream`,
          'Start it with JetStream: -js, or `jetstream {}` in its configuration.',
        );
  } catch (thrown) {
    const advice = env.NATS_URL
      ? 'Start the broker that NATS_URL names, or mend the address.'
      : 'It is started again by itself within seconds; if not, look at nats-server.log in the data directory, and restart Millrace.';
    return fail('nats-server', `${url}: ${messageOf(thrown)}`, advice);
  }
};

const directoryFinding = async (dataDir: string): Promise<Finding> => {
  const check = 'data directory';
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await access(dataDir, constants.W_OK);
    const disk = await diskOf(dataDir);
    return disk === undefined ? ok(check, dataDir) : judgeDisk(check, disk);
  } catch (thrown) {
    return fail(check, messageOf(thrown), 'Choose another --data-dir.');
  }
};

const limitsFinding = async (): Promise<readonly Finding[]> => {
  const files = await openFiles();
  return files === undefined ? [] : [judgeFiles('open files here', files)];
};

/** Only where they are in a store of their own: those in the data directory are looked at with it. */
const blobsFinding = async (dataDir: string, env: NodeJS.ProcessEnv): Promise<readonly Finding[]> => {
  const url = env.MILLRACE_BLOBS_URL;
  if (!url) return [];
  try {
    const blobs = await openBlobStore({ url, dataDir });
    try {
      await blobs.list({ limit: 1 });
    } finally {
      await blobs.close();
    }
    return [ok('blob store', 'reached from here')];
  } catch (thrown) {
    return [
      fail(
        'blob store',
        messageOf(thrown),
        'Check MILLRACE_BLOBS_URL, the bucket, and its credentials: docs/operations/storage.md.',
      ),
    ];
  }
};

const portFinding = async (
  env: NodeJS.ProcessEnv,
  running: RunningState | undefined,
): Promise<readonly Finding[]> => {
  if (running !== undefined || env.MILLRACE_URL) return [];
  const port = Number(env.MILLRACE_PORT || defaultPort);
  if (port === 0) return [];
  const host = env.MILLRACE_HOST || '127.0.0.1';
  const problem = await new Promise<string | undefined>((resolve) => {
    const server = createServer();
    server.once('error', ({ message }) => resolve(message));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
  return problem === undefined
    ? [ok('port', `${port} is free`)]
    : [warn('port', problem, 'Another program has it: `millrace up --port <other>`, or end that one.')];
};

const certificateFindings = async (dataDir: string): Promise<readonly Finding[]> => {
  const directory = join(dataDir, 'certificates');
  const found = await Promise.all(serviceNames.map((name) => certificatesOf(tlsFilesIn(directory, name))));
  return judgeCertificates(found.flat(), Date.now());
};
