import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createRandom } from '@millrace/random';
import { apiPrefix } from '@millrace/rest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { modelVersionOf } from '../support/runs.ts';
import { eventually } from '../support/wait.ts';
import { blobFile, damages, download, whileDamaged } from './support/blob-files.ts';
import { digestOfBytes } from './support/evidence.ts';
import { Trial, testSeed } from './support/trial.ts';

let trial: Trial;
/** Of a model that serves nowhere: whoever deploys it has to read it. */
let cold: { readonly model: string; readonly version: number; readonly manifest: string };
/** Files of that model's package. */
let files: readonly string[];

beforeAll(async () => {
  trial = await Trial.start({
    fault: 'F14',
    title: 'damaged artifacts and uploads',
    seed: testSeed,
    separate: false,
  });
  const { client } = trial.millrace;
  const run = await trial.run();
  const { model, version } = modelVersionOf(run);
  await client.deployment.deleteEndpoint({ name: model });
  const { modelVersion } = await client.registry.getModelVersion({ model, version });
  cold = { model, version, manifest: modelVersion?.digest ?? '' };
  const manifest = JSON.parse((await download(client, cold.manifest)).toString()) as {
    files: readonly { readonly digest: string; readonly size: number }[];
  };
  files = manifest.files.filter(({ size }) => size > 1).map(({ digest }) => digest);
});

afterAll(() => trial?.stop());

const deployCold = (endpoint: string) =>
  trial.millrace.client.deployment.deploy({
    endpoint,
    model: cold.model,
    modelVersion: cold.version,
    policy: { strategy: 'STRATEGY_DIRECT' },
  });

test.each(Object.entries(damages))(
  'an artifact that is %s is refused at download and at load, while the live model goes on',
  async (name, damage) => {
    const { client } = trial.millrace;
    const random = createRandom(testSeed).derive(name);
    const digest = name === 'missing' ? cold.manifest : (files[random.integer(files.length)] ?? '');
    const other = blobFile(trial.millrace, files.find((file) => file !== digest) ?? '');
    const path = blobFile(trial.millrace, digest);
    trial.inject(`${digest} ${name}`);
    await trial.during(() =>
      whileDamaged(
        path,
        () => damage(path, other),
        async () => {
          await expect(download(client, digest)).rejects.toThrow();
          await expect(deployCold(`cold-${name}`)).rejects.toThrow(/sha256:|blob|digest/);
          expect(await trial.predict()).toMatchObject({ revision: 1 });
        },
      ),
    );
    trial.heal('put back');
    expect(digestOfBytes(await download(client, digest))).toBe(digest);
    await deployCold(`cold-${name}`);
    await client.deployment.deleteEndpoint({ name: `cold-${name}` });
    await trial.recover();
  },
);

/** Sends a part of an upload and cuts the connection. */
const uploadHalf = (digest: string, bytes: Buffer): Promise<void> => {
  const { hostname, port } = new URL(trial.millrace.url);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(Number(port), hostname, () => {
    socket.write(
      `PUT ${apiPrefix}/blobs/${digest} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${trial.secret}\r\n` +
        `content-type: application/octet-stream\r\ncontent-length: ${bytes.length}\r\n\r\n`,
    );
    socket.write(bytes.subarray(0, bytes.length / 2), () => socket.destroy());
  });
  socket.on('error', reject);
  socket.on('close', () => resolve());
  return promise;
};

const temporaryUploads = () => readdir(join(trial.millrace.dataDir, 'blobs', 'tmp'));

test('half an upload is visible to nobody and leaves nothing behind', async () => {
  const { client } = trial.millrace;
  const bytes = Buffer.alloc(2_000_000, `half of ${testSeed}`);
  const digest = digestOfBytes(bytes);
  const before = new Set(await temporaryUploads());
  trial.inject('three uploads cut half way');
  for (let upload = 0; upload < 3; upload += 1) {
    await uploadHalf(digest, bytes);
    expect(await client.blobSize(digest)).toBeUndefined();
  }
  await eventually('the temporary files to go', async () => {
    expect((await temporaryUploads()).filter((name) => !before.has(name))).toEqual([]);
  });
  await client.uploadBytes(digest, bytes);
  expect(digestOfBytes(await download(client, digest))).toBe(digest);
  trial.heal('uploaded whole');
  await trial.recover();
});

test('of uploads under one name at once, only bytes that belong to it stay', async () => {
  const { client } = trial.millrace;
  const right = Buffer.alloc(1_000_000, `right of ${testSeed}`);
  const wrong = Buffer.alloc(1_000_000, `wrong of ${testSeed}`);
  const digest = digestOfBytes(right);
  trial.inject('six uploads at once, half of them with other bytes');
  const told = await Promise.allSettled(
    [right, wrong, right, wrong, right, wrong].map((bytes) => client.uploadBytes(digest, bytes)),
  );
  expect(told.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'rejected',
    'fulfilled',
    'rejected',
  ]);
  expect((await download(client, digest)).equals(right)).toBe(true);
});

test('nothing was lost, and no wrong byte is left', async () => {
  await trial.check();
});
