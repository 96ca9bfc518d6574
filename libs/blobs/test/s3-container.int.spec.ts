import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { messageOf } from '@millrace/errors';
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { describeBlobStore } from '../src/conformance.ts';
import { openS3BlobStore, parseS3Location } from '../src/index.ts';
import { testCredentials } from './s3-server.ts';

/** Why no container can be started here; `undefined` when one can. */
const obstacle = await getContainerRuntimeClient().then(
  () => undefined,
  (thrown: unknown) => `no Docker engine answers: ${messageOf(thrown)}`,
);
const { accessKeyId, secretAccessKey } = testCredentials;

const describeInContainer = (): void => {
  let container: StartedTestContainer;
  let client: S3Client;
  let endpoint: string;
  let buckets = 0;

  beforeAll(async () => {
    container = await new GenericContainer('minio/minio:RELEASE.2025-04-22T22-12-26Z')
      .withCommand(['server', '/data'])
      .withEnvironment({ MINIO_ROOT_USER: accessKeyId, MINIO_ROOT_PASSWORD: secretAccessKey })
      .withExposedPorts(9000)
      .withWaitStrategy(Wait.forHttp('/minio/health/ready', 9000))
      .start();
    process.env.AWS_ACCESS_KEY_ID = accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey;
    endpoint = `http://${container.getHost()}:${container.getMappedPort(9000)}`;
    client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true });
  }, 300_000);

  afterAll(async () => {
    client?.destroy();
    await container?.stop();
  });

  describeBlobStore('S3 (MinIO)', async () => {
    buckets += 1;
    const bucket = `blobs-${buckets}`;
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    const copiesDirectory = await mkdtemp(join(tmpdir(), 'millrace-copies-'));
    const location = parseS3Location(`s3://${bucket}?endpoint=${endpoint}&region=us-east-1&pathStyle=true`);
    return {
      store: await openS3BlobStore({ location, copiesDirectory }),
      dispose: () => rm(copiesDirectory, { recursive: true, force: true }),
    };
  });
};

if (obstacle === undefined) describeInContainer();
else {
  describe('a real MinIO', () => {
    it('passes the conformance suite', (context) => context.skip(obstacle));
  });
}
