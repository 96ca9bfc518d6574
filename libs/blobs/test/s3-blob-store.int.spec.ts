import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { describeBlobStore } from '../src/conformance.ts';
import { openS3BlobStore, parseS3Location } from '../src/index.ts';
import { type S3Server, s3ServerTimeoutMs, startS3Server } from './s3-server.ts';

let server: S3Server;
let directory: string;
let buckets = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-s3-'));
  server = await startS3Server(directory);
}, s3ServerTimeoutMs);
afterAll(async () => {
  await server?.kill();
  await rm(directory, { recursive: true, force: true });
});

const newBucket = (): Promise<string> => {
  buckets += 1;
  return server.locate(`blobs-${buckets}`);
};

describeBlobStore('S3', async () => {
  const copiesDirectory = await mkdtemp(join(directory, 'copies-'));
  return {
    store: await openS3BlobStore({ location: parseS3Location(await newBucket()), copiesDirectory }),
    dispose: () => rm(copiesDirectory, { recursive: true, force: true }),
  };
});
