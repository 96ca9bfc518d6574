import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ErrorCode } from '@millrace/errors';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Digest, digestOf } from './digest.ts';
import type { BlobStore } from './port.ts';
import { releasePiece } from './release-piece.ts';

/** How a suite gets an empty store of its own, and how it is taken away. */
export interface BlobStoreFixture {
  readonly store: BlobStore;
  dispose(): Promise<void>;
}

/** Deterministic bytes that do not repeat within a chunk (a 32-bit linear congruential generator). */
export const patternBytes = (length: number, seed = 1): Uint8Array => {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
};

/** The bytes in pieces that share no memory. */
export const piecesOf = (bytes: Uint8Array, length: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / length) }, (_, index) =>
    bytes.slice(index * length, (index + 1) * length),
  );

const absent = digestOf('never stored');
const malformed = [
  '',
  'sha256:',
  `sha256:${'a'.repeat(63)}`,
  `sha256:${'A'.repeat(64)}`,
  `sha512:${'a'.repeat(64)}`,
  `sha256:../../${'a'.repeat(58)}`,
  `sha256:${'a'.repeat(64)}\n`,
] as readonly Digest[];

/** The behaviour that every adapter of {@link BlobStore} shows; run it once per adapter. */
export const describeBlobStore = (adapter: string, open: () => Promise<BlobStoreFixture>): void => {
  describe(`blob store: ${adapter}`, () => {
    let fixture: BlobStoreFixture;
    let store: BlobStore;
    let scratch: string;

    beforeEach(async () => {
      fixture = await open();
      store = fixture.store;
      scratch = await mkdtemp(join(tmpdir(), 'millrace-blobs-'));
    });
    afterEach(async () => {
      await store.close();
      await fixture.dispose();
      await rm(scratch, { recursive: true, force: true });
    });

    for (const size of [0, 1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 3 * 1024 * 1024 + 17]) {
      test(`gives back ${size} bytes as they were put`, async () => {
        const content = patternBytes(size);
        const info = await store.put(content);
        expect(info).toEqual({ digest: digestOf(content), size });
        expect(await store.has(info.digest)).toBe(size);
        expect(Buffer.compare(await store.read(info.digest, size), content)).toBe(0);
        expect(Buffer.compare(await buffer(await store.get(info.digest)), content)).toBe(0);
      });
    }

    test('names the same content the same from bytes, a Node stream, a web stream and a file', async () => {
      const content = patternBytes(700_000);
      const file = join(scratch, 'content');
      await writeFile(file, content);
      const digests = [
        (await store.put(content)).digest,
        (await store.put(Readable.from([content.subarray(0, 10), content.subarray(10)]))).digest,
        (await store.put(new Blob([new Uint8Array(content)]).stream())).digest,
        (await store.put({ file })).digest,
      ];
      expect(new Set(digests)).toEqual(new Set([digestOf(content)]));
      expect(await store.stats()).toEqual({ blobs: 1, bytes: 700_000 });
    });

    for (const length of [1_000, 65_536, 2 * 1024 * 1024]) {
      test(`takes pieces of ${length} bytes that are handed over, many uploads at once`, async () => {
        const contents = [1, 2, 3].map((seed) => patternBytes(5 * 1024 * 1024 + 3, seed));
        const put = (content: Uint8Array) =>
          store.put(Readable.from(piecesOf(content, length)), { handedOver: true });
        const infos = await Promise.all(contents.map(put));
        expect(infos.map(({ digest }) => digest)).toEqual(contents.map(digestOf));
        for (const content of contents) {
          const stored = await store.read(digestOf(content), content.length);
          expect(Buffer.compare(stored, content)).toBe(0);
        }
      });
    }

    test('leaves memory alone that a piece shares, and that of a source that hands nothing over', async () => {
      const content = patternBytes(3_000_000);
      const shared = [content.subarray(0, 2_000_000), content.subarray(2_000_000)];
      await store.put(Readable.from(shared), { handedOver: true });
      await store.put(Readable.from([content]));
      await store.put(content, { handedOver: true });
      expect(Buffer.compare(content, patternBytes(3_000_000))).toBe(0);
    });

    test('gives pieces that the reader may free, to several readers at once', async () => {
      const { digest } = await store.put(patternBytes(2_000_000));
      const digestOfRead = async () => {
        const hash = createHash('sha256');
        for await (const piece of await store.get(digest)) {
          hash.update(piece);
          releasePiece(piece);
        }
        return `sha256:${hash.digest('hex')}`;
      };
      const read = await Promise.all([1, 2, 3].map(digestOfRead));
      expect(read).toEqual([digest, digest, digest]);
    });

    test('refuses content that is not what was expected and keeps nothing of it', async () => {
      await expect(store.put(patternBytes(10), { expected: absent })).rejects.toMatchObject({
        code: ErrorCode.invalid,
        violations: [{ path: 'expected' }],
      });
      expect(await store.stats()).toEqual({ blobs: 0, bytes: 0 });
    });

    test('refuses content over the limit and keeps nothing of it', async () => {
      const source = Readable.from([patternBytes(60), patternBytes(60)]);
      await expect(store.put(source, { maxBytes: 100 })).rejects.toMatchObject({ code: ErrorCode.exhausted });
      expect(source.destroyed).toBe(true);
      expect(await store.stats()).toEqual({ blobs: 0, bytes: 0 });
    });

    test('keeps nothing when the source fails half way', async () => {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield patternBytes(100_000);
        throw new Error('the client went away');
      }
      await expect(store.put(broken())).rejects.toThrow('the client went away');
      expect(await store.stats()).toEqual({ blobs: 0, bytes: 0 });
    });

    test('refuses a stream of text', async () => {
      const text = Readable.from(['not bytes']) as AsyncIterable<unknown> as AsyncIterable<Uint8Array>;
      await expect(store.put(text)).rejects.toMatchObject({ code: ErrorCode.invalid });
    });

    test('lets many put the same content at once', async () => {
      const content = patternBytes(300_000);
      const infos = await Promise.all(Array.from({ length: 20 }, () => store.put(content)));
      expect(new Set(infos.map(({ digest }) => digest)).size).toBe(1);
      expect(await store.stats()).toEqual({ blobs: 1, bytes: 300_000 });
      expect(Buffer.compare(await store.read(digestOf(content), 300_000), content)).toBe(0);
    });

    test('says that a blob does not exist', async () => {
      expect(await store.has(absent)).toBeUndefined();
      expect(await store.delete(absent)).toBe(false);
      const missing = { code: ErrorCode.notFound };
      await expect(store.get(absent)).rejects.toMatchObject(missing);
      await expect(store.read(absent, 10)).rejects.toMatchObject(missing);
      await expect(store.materialize(absent, join(scratch, 'file'))).rejects.toMatchObject(missing);
    });

    test('refuses to read more into memory than allowed', async () => {
      const { digest } = await store.put(patternBytes(101));
      await expect(store.read(digest, 100)).rejects.toMatchObject({ code: ErrorCode.exhausted });
    });

    test('refuses every digest that is not well formed', async () => {
      for (const digest of malformed) {
        const refused = { code: ErrorCode.invalid };
        await expect(store.get(digest)).rejects.toMatchObject(refused);
        await expect(store.read(digest, 1)).rejects.toMatchObject(refused);
        await expect(store.has(digest)).rejects.toMatchObject(refused);
        await expect(store.delete(digest)).rejects.toMatchObject(refused);
        await expect(store.retire(digest)).rejects.toMatchObject(refused);
        await expect(store.purge(digest)).rejects.toMatchObject(refused);
        await expect(store.materialize(digest, join(scratch, 'file'))).rejects.toMatchObject(refused);
        await expect(store.put(patternBytes(1), { expected: digest })).rejects.toMatchObject(refused);
      }
    });

    test('makes a copy that can be changed without changing the blob', async () => {
      const content = patternBytes(500_000);
      const { digest } = await store.put(content);
      const path = join(scratch, 'copy');
      await writeFile(path, 'what was here before');
      await store.materialize(digest, path);
      expect(Buffer.compare(await readFile(path), content)).toBe(0);
      await writeFile(path, 'changed');
      expect(Buffer.compare(await store.read(digest, 500_000), content)).toBe(0);
    });

    test('makes a read-only file to be shared, also where it was made before', async () => {
      const { digest } = await store.put(patternBytes(1_000));
      const path = join(scratch, 'shared');
      await store.materialize(digest, path, { as: 'link' });
      await store.materialize(digest, path, { as: 'link' });
      expect((await stat(path)).mode & 0o222).toBe(0);
      expect(Buffer.compare(await readFile(path), patternBytes(1_000))).toBe(0);
    });

    test('lets go of a stream that is not read to its end', async () => {
      const { digest } = await store.put(patternBytes(2_000_000));
      const untouched = await store.get(digest);
      untouched.destroy();
      for await (const chunk of await store.get(digest)) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect(await store.delete(digest)).toBe(true);
      expect(await store.has(digest)).toBeUndefined();
    });

    test('lists in order, page by page, by prefix', async () => {
      const infos = await Promise.all(
        Array.from({ length: 25 }, (_, index) => store.put(patternBytes(10, index))),
      );
      const expected = infos.map(({ digest }) => digest).sort();
      const listed: Digest[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.list({ limit: 10, ...(cursor === undefined ? {} : { cursor }) });
        expect(page.items.length).toBeLessThanOrEqual(10);
        listed.push(...page.items.map(({ digest }) => digest));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(listed).toEqual(expected);
      const prefix = expected[7]?.slice(0, 'sha256:'.length + 3) ?? '';
      const matching = (await store.list({ prefix })).items.map(({ digest }) => digest);
      expect(matching).toEqual(expected.filter((digest) => digest.startsWith(prefix)));
    });

    test('puts a blob aside, from where any use brings it back', async () => {
      const content = patternBytes(300_000);
      const { digest, size } = await store.put(content);
      const uses = {
        has: async () => expect(await store.has(digest)).toBe(size),
        read: async () => expect(Buffer.compare(await store.read(digest, size), content)).toBe(0),
        get: async () => expect(Buffer.compare(await buffer(await store.get(digest)), content)).toBe(0),
        materialize: () => store.materialize(digest, join(scratch, 'file')),
        put: () => store.put(content),
      };
      for (const [name, use] of Object.entries(uses)) {
        expect(await store.retire(digest), name).toBe(true);
        expect((await store.list()).items, name).toEqual([]);
        expect((await store.listRetired()).items, name).toMatchObject([{ digest, size }]);
        await use();
        expect((await store.list()).items, name).toMatchObject([{ digest, size }]);
        await store.purge(digest);
        expect(Buffer.compare(await store.read(digest, size), content), name).toBe(0);
      }
    });

    test('purges only what is aside', async () => {
      const { digest } = await store.put(patternBytes(1_000));
      expect(await store.purge(digest)).toBe(false);
      expect(await store.has(digest)).toBe(1_000);
      expect(await store.retire(digest)).toBe(true);
      expect(await store.retire(digest)).toBe(false);
      expect(await store.purge(digest)).toBe(true);
      expect(await store.purge(digest)).toBe(false);
      expect(await store.has(digest)).toBeUndefined();
      expect(await store.retire(absent)).toBe(false);
    });

    test('lets many readers at once take back what is aside', async () => {
      const content = patternBytes(10_000);
      const { digest } = await store.put(content);
      await store.retire(digest);
      const read = await Promise.all(Array.from({ length: 10 }, () => store.read(digest, 10_000)));
      for (const bytes of read) expect(Buffer.compare(bytes, content)).toBe(0);
      expect((await store.list()).items).toMatchObject([{ digest }]);
    });

    test('refuses a list query that it cannot answer', async () => {
      await expect(store.list({ limit: 0 })).rejects.toMatchObject({ violations: [{ path: 'limit' }] });
      await expect(store.list({ cursor: '../x' })).rejects.toMatchObject({
        violations: [{ path: 'cursor' }],
      });
      await expect(store.list({ prefix: 'sha256:..' })).rejects.toMatchObject({
        violations: [{ path: 'prefix' }],
      });
    });
  });
};
