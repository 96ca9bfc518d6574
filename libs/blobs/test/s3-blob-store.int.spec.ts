import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ErrorCode } from '@millrace/errors';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeBlobStore, patternBytes, piecesOf } from '../src/conformance.ts';
import {
  type BlobStore,
  type Digest,
  digestOf,
  openS3BlobStore,
  parseS3Location,
  type S3BlobStoreOptions,
} from '../src/index.ts';
import { HostileProxy, notImplemented, slowDown } from './hostile-proxy.ts';
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

const partBytes = 5 * 1024 * 1024;
const megabyte = 1024 * 1024;

describe('S3 blob store', () => {
  let proxy: HostileProxy;
  let url: string;
  let bucket: string;
  let store: BlobStore;
  let copiesDirectory: string;

  const open = (over: Partial<S3BlobStoreOptions> = {}): Promise<BlobStore> =>
    openS3BlobStore({ location: parseS3Location(url), copiesDirectory, partBytes, ...over });
  const keyOf = (digest: Digest): string => `sha256/${digest.slice('sha256:'.length)}`;
  const uploadsUnderWay = async (): Promise<number> => {
    const { ListMultipartUploadsCommand, S3Client } = await import('@aws-sdk/client-s3');
    const client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true });
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    client.destroy();
    return Uploads.length;
  };

  beforeEach(async () => {
    proxy = await HostileProxy.start(server.port);
    const address = new URL(await newBucket());
    bucket = address.hostname;
    address.searchParams.set('endpoint', proxy.endpoint);
    url = address.href;
    copiesDirectory = await mkdtemp(join(directory, 'copies-'));
    store = await open();
  });
  afterEach(async () => {
    await store.close();
    await proxy.stop();
  });

  test('uploads what is larger than a part in parts, from every kind of source', async () => {
    const content = patternBytes(2 * partBytes + 1_234);
    const digest = digestOf(content);
    const file = join(copiesDirectory, 'content');
    await writeFile(file, content);
    const sources = {
      bytes: () => store.put(content),
      'a stream of known digest': () => store.put(Readable.from([content]), { expected: digest }),
      'a stream of unknown digest': () => store.put(Readable.from([content])),
      'a file': () => store.put({ file }),
      'pieces that are handed over': () =>
        store.put(Readable.from(piecesOf(content, 1024 ** 2)), { handedOver: true }),
    };
    for (const [name, put] of Object.entries(sources)) {
      proxy.requests.length = 0;
      await store.delete(digest);
      expect(await put(), name).toEqual({ digest, size: content.length });
      const parts = proxy.requests.filter((line) => line.startsWith('PUT') && line.includes('partNumber='));
      expect(parts, name).toHaveLength(3);
      expect(Buffer.compare(await store.read(digest, content.length), content), name).toBe(0);
    }
    expect(await uploadsUnderWay()).toBe(0);
  });

  test('renews the age of what is stored already, and sends no young blob again', async () => {
    for (const content of [patternBytes(1_000), patternBytes(2 * partBytes)]) {
      const { digest } = await store.put(content);
      const storedAt = async () =>
        Date.parse((await store.list({ prefix: digest })).items[0]?.storedAt ?? '');
      proxy.requests.length = 0;
      expect(await store.put(content)).toEqual({ digest, size: content.length });
      expect(proxy.requests.filter((line) => line.includes('partNumber='))).toEqual([]);
      await utimes(server.fileOf(bucket, keyOf(digest)), 1_000_000, 1_000_000);
      await store.put(content);
      expect(await storedAt()).toBeGreaterThan(1_000_000_000);
      expect(Buffer.compare(await store.read(digest, content.length), content)).toBe(0);
    }
  });

  test('lets two upload the same content in parts at once', async () => {
    const content = patternBytes(2 * partBytes + 1);
    const expected = digestOf(content);
    const other = await open();
    const put = (into: BlobStore) => into.put(Readable.from([content]), { expected });
    await Promise.all([put(store), put(other), put(store)]);
    expect(await store.stats()).toEqual({ blobs: 1, bytes: content.length });
    expect(Buffer.compare(await other.read(expected, content.length), content)).toBe(0);
    expect(await uploadsUnderWay()).toBe(0);
    await other.close();
  });

  test('repeats a part whose connection was cut', async () => {
    let cuts = 2;
    proxy.meddle = (line) => {
      if (!line.includes('partNumber=2') || cuts === 0) return undefined;
      cuts -= 1;
      return { cutUploadAfter: megabyte };
    };
    const content = patternBytes(2 * partBytes);
    const { digest } = await store.put(content);
    expect(cuts).toBe(0);
    expect(Buffer.compare(await store.read(digest, content.length), content)).toBe(0);
  });

  test('fails as unavailable, leaving nothing, when no part comes through', async () => {
    proxy.meddle = (line) => (line.includes('partNumber=2') ? { cutUploadAfter: 1_000 } : undefined);
    const content = patternBytes(2 * partBytes);
    await expect(store.put(content)).rejects.toMatchObject({ code: ErrorCode.unavailable });
    expect(await store.stats()).toEqual({ blobs: 0, bytes: 0 });
    expect(await uploadsUnderWay()).toBe(0);
    proxy.meddle = () => undefined;
    await store.put(content);
    expect(await store.stats()).toEqual({ blobs: 1, bytes: content.length });
  });

  test('goes on with a download where its connection was cut', async () => {
    const content = patternBytes(4 * megabyte);
    const { digest } = await store.put(content);
    let cuts = 3;
    proxy.meddle = (line) => {
      if (!line.startsWith('GET') || cuts === 0) return undefined;
      cuts -= 1;
      return { cutDownloadAfter: megabyte };
    };
    expect(Buffer.compare(await buffer(await store.get(digest)), content)).toBe(0);
    expect(cuts).toBe(0);
  });

  test('waits and repeats when it is told to slow down', async () => {
    let refusals = 3;
    proxy.meddle = () => {
      if (refusals === 0) return undefined;
      refusals -= 1;
      return { answer: slowDown };
    };
    const { digest } = await store.put(patternBytes(1_000));
    refusals = 2;
    expect(await store.has(digest)).toBe(1_000);
    expect(refusals).toBe(0);
  });

  test('says that the object store is unavailable when it keeps refusing', async () => {
    const { digest } = await store.put(patternBytes(1_000));
    proxy.meddle = () => ({ answer: slowDown });
    const hasty = await open({ maxAttempts: 2 });
    const unavailable = { code: ErrorCode.unavailable };
    await expect(hasty.has(digest)).rejects.toMatchObject(unavailable);
    await expect(hasty.read(digest, 1_000)).rejects.toMatchObject(unavailable);
    await expect(hasty.list()).rejects.toMatchObject(unavailable);
    await hasty.close();
  });

  test('starts while the object store is away, and works once it is back', async () => {
    proxy.meddle = () => ({ answer: slowDown });
    const early = await open({ maxAttempts: 2 });
    proxy.meddle = () => undefined;
    await early.put(patternBytes(10));
    await early.close();
  });

  test('refuses wrong bytes that were sent, before the end of the stream', async () => {
    const content = patternBytes(2 * megabyte);
    const { digest } = await store.put(content);
    proxy.meddle = (line) => (line.startsWith('GET') ? { flipDownloadAt: megabyte } : undefined);
    const damaged = { code: ErrorCode.internal, message: expect.stringContaining('is damaged') };
    await expect(buffer(await store.get(digest))).rejects.toMatchObject(damaged);
    await expect(store.read(digest, content.length)).rejects.toMatchObject(damaged);
    await expect(store.materialize(digest, join(copiesDirectory, 'file'))).rejects.toBeInstanceOf(Error);
    expect(await readdir(copiesDirectory)).not.toContain('file');
  });

  test('refuses wrong bytes that are stored, and putting the content again repairs it', async () => {
    const content = patternBytes(megabyte);
    const { digest } = await store.put(content);
    const wrong = Buffer.from(content);
    wrong[5] = (wrong[5] ?? 0) ^ 1;
    await writeFile(server.fileOf(bucket, keyOf(digest)), wrong);
    await expect(store.read(digest, megabyte)).rejects.toMatchObject({ code: ErrorCode.internal });
    await store.put(content);
    expect(Buffer.compare(await store.read(digest, megabyte), content)).toBe(0);
  });

  test('writes without a condition where the server knows none', async () => {
    proxy.meddle = (line) =>
      line.startsWith('PUT') && conditional-- > 0 ? { answer: notImplemented } : undefined;
    let conditional = 1;
    const content = patternBytes(1_000);
    const { digest } = await store.put(content);
    await store.put(content);
    expect(Buffer.compare(await store.read(digest, 1_000), content)).toBe(0);
  });

  test('serves files from copies of its own, which it fetches again when they are lost or damaged', async () => {
    const content = patternBytes(100_000);
    const { digest } = await store.put(content);
    const path = join(copiesDirectory, 'file');
    const downloads = () => proxy.requests.filter((line) => line.startsWith('GET')).length;
    await store.materialize(digest, path);
    const before = downloads();
    await store.materialize(digest, path, { as: 'link' });
    expect(downloads()).toBe(before);
    const hex = digest.slice('sha256:'.length);
    const copy = join(copiesDirectory, 'sha256', hex.slice(0, 2), hex.slice(2));
    await chmod(copy, 0o644);
    await writeFile(copy, 'damaged');
    await store.materialize(digest, path);
    expect(downloads()).toBe(before + 1);
    expect(Buffer.compare(await readFile(path), content)).toBe(0);
  });

  test('keeps no more copies than it may', async () => {
    const small = await open({ maxCopyBytes: 250_000 });
    for (let seed = 1; seed <= 5; seed += 1) {
      const { digest } = await small.put(patternBytes(100_000, seed));
      await small.materialize(digest, join(copiesDirectory, 'file'));
    }
    const kept = await readdir(join(copiesDirectory, 'sha256'), { recursive: true, withFileTypes: true });
    expect(kept.filter((entry) => entry.isFile()).length).toBeLessThanOrEqual(2);
    await small.close();
  });

  test('leaves nothing visible of an upload that was killed, and the next start takes its parts away', async () => {
    const script = fileURLToPath(new URL('put-to-s3-without-end.ts', import.meta.url));
    const child = spawn(process.execPath, [script, url, copiesDirectory, digestOf('never')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await store.stats()).toEqual({ blobs: 0, bytes: 0 });
    expect(await uploadsUnderWay()).toBe(1);
    // One that still may move is left alone.
    await (await open()).close();
    expect(await uploadsUnderWay()).toBe(1);
    await (await open({ sweepAfterMs: -60_000 })).close();
    expect(await uploadsUnderWay()).toBe(0);
  });

  test('holds a few parts in memory, however long the content', async () => {
    const chunk = patternBytes(megabyte);
    const hash = createHash('sha256');
    const chunks = 96;
    for (let count = 0; count < chunks; count += 1) hash.update(chunk);
    const expected: Digest = `sha256:${hash.digest('hex')}`;
    let given = 0;
    let arrived = 0;
    let mostHeld = 0;
    proxy.meddle = (line) => {
      if (line.includes('partNumber=')) arrived += 1;
      return undefined;
    };
    async function* source(): AsyncGenerator<Uint8Array> {
      for (; given < chunks; given += 1) {
        mostHeld = Math.max(mostHeld, given * megabyte - arrived * partBytes);
        yield chunk;
      }
    }
    await store.put(source(), { expected });
    // What was taken from the source and not yet sent: the parts being cut.
    expect(mostHeld).toBeLessThanOrEqual(4 * partBytes);
    expect(await store.has(expected)).toBe(chunks * megabyte);
  });

  test('says what is wrong with a bucket that is not there or credentials that are', async () => {
    const elsewhere = new URL(url);
    elsewhere.hostname = 'not-there';
    const missing = openS3BlobStore({ location: parseS3Location(elsewhere.href), copiesDirectory });
    await expect(missing).rejects.toMatchObject({ code: ErrorCode.failedPrecondition });
    const { AWS_SECRET_ACCESS_KEY: secret } = process.env;
    process.env.AWS_SECRET_ACCESS_KEY = 'wrong-and-secret';
    const denied = await open().catch((thrown: unknown) => thrown);
    process.env.AWS_SECRET_ACCESS_KEY = secret;
    expect(denied).toMatchObject({ code: ErrorCode.failedPrecondition });
    expect(String((denied as Error).stack)).not.toContain('wrong-and-secret');
  });
});
