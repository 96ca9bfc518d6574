import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A server that speaks S3's protocol and keeps objects as files; see the README for what of S3 it lacks. */
const module = 'github.com/versity/versitygw/cmd/versitygw';
const version = 'v1.8.0';
const buildMs = 15 * 60_000;
const startMs = 60_000;

/** Keys of the test servers, which listen on loopback only. */
export const testCredentials = { accessKeyId: 'millrace-test', secretAccessKey: 'millrace-test-secret' };

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Builds the server with Go, once; several processes may ask at once. */
const install = async (): Promise<string> => {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace', 'versitygw');
  const directory = join(cache, version);
  const target = join(directory, 'versitygw');
  if (await exists(target)) return target;
  await mkdir(cache, { recursive: true });
  const draft = `${directory}.${process.pid}`;
  await run('go', ['install', '-ldflags=-s -w', `${module}@${version}`], {
    env: { ...process.env, GOBIN: draft, GOFLAGS: '' },
    timeout: buildMs,
    maxBuffer: 16 * 1024 * 1024,
  });
  await rename(draft, directory).catch(async (thrown: unknown) => {
    // Another process was faster.
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(target))) throw thrown;
  });
  return target;
};

/** Long enough for the first build. */
export const s3ServerTimeoutMs = buildMs + startMs;

export interface S3Server {
  readonly port: number;
  readonly endpoint: string;
  /** Address of a bucket, which is made when it is not there. */
  locate(bucket: string): Promise<string>;
  /** The file of an object. */
  fileOf(bucket: string, key: string): string;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
};

/** Starts a server that keeps its objects below a directory and sets this process's AWS credentials to its own. */
export const startS3Server = async (directory: string, port?: number): Promise<S3Server> => {
  const executable = await install();
  const buckets = join(directory, 'buckets');
  const sidecar = join(directory, 'metadata');
  await Promise.all([buckets, sidecar].map((path) => mkdir(path, { recursive: true })));
  const listening = port ?? (await freePort());
  const child = spawn(
    executable,
    ['--port', `127.0.0.1:${listening}`, '--quiet', '--keep-alive', 'posix', '--sidecar', sidecar, buckets],
    {
      env: {
        PATH: process.env.PATH,
        ROOT_ACCESS_KEY_ID: testCredentials.accessKeyId,
        ROOT_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const exited = once(child, 'exit');
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const endpoint = `http://127.0.0.1:${listening}`;
  await untilItAnswers(child, endpoint);
  process.env.AWS_ACCESS_KEY_ID = testCredentials.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = testCredentials.secretAccessKey;
  return {
    port: listening,
    endpoint,
    locate: async (bucket) => {
      // A bucket is a directory there; what makes one through the protocol is not ours to test.
      await mkdir(join(buckets, bucket), { recursive: true });
      return `s3://${bucket}?endpoint=${endpoint}&region=us-east-1&pathStyle=true`;
    },
    fileOf: (bucket, key) => join(buckets, bucket, key),
    kill: async () => {
      process.off('exit', endWithUs);
      child.kill('SIGKILL');
      await exited;
    },
  };
};

const untilItAnswers = async (child: ChildProcess, endpoint: string): Promise<void> => {
  const deadline = performance.now() + startMs;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the S3 server ended with exit code ${child.exitCode}`);
    const answers = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (answers) return;
    if (performance.now() > deadline) throw new Error('the S3 server did not answer');
    await pause(50);
  }
};
