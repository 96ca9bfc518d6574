import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type S3Server, s3ServerTimeoutMs, startS3Server } from '../libs/blobs/test/s3-server.ts';
import { submitQuickRun } from './faults/quick-run.ts';
import { retried } from './support/calls.ts';
import { TestInstallation } from './support/installation.ts';
import { followToEnd, followToPause, modelVersionOf, statesOf } from './support/runs.ts';

let directory: string;
let server: S3Server;
let millrace: TestInstallation;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-s3-'));
  server = await startS3Server(directory);
  millrace = await TestInstallation.start({
    separate: true,
    env: { MILLRACE_BLOBS_URL: await server.locate('lifecycle') },
  });
}, s3ServerTimeoutMs);

afterAll(async () => {
  await millrace?.stop();
  await server?.kill();
  delete process.env.MILLRACE_BLOBS_URL;
  await rm(directory, { recursive: true, force: true });
});

test('a recipe runs from its upload to a serving endpoint with every blob in S3', async () => {
  const id = await submitQuickRun(millrace, 'on-s3', 7);
  const paused = await followToPause(millrace, id, 120_000);
  if (paused.state === 'RUN_STATE_WAITING') {
    await retried('the approval', () =>
      millrace.client.registry.approveModelVersion({ ...modelVersionOf(paused) }),
    );
  }
  const run = await followToEnd(millrace, id, 120_000);
  expect(run.state, statesOf(run).join(', ')).toBe('RUN_STATE_SUCCEEDED');

  const digests = run.steps.flatMap(({ outputs }) => outputs).flatMap(({ digest }) => digest || []);
  expect(digests.length).toBeGreaterThan(0);
  const objects = await readdir(server.fileOf('lifecycle', 'sha256'));
  expect(objects).toEqual(expect.arrayContaining(digests.map((digest) => digest.slice('sha256:'.length))));
  expect(await readdir(millrace.dataDir)).not.toContain('blobs');
});
