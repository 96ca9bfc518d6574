import type { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { Exhausted, Invalid, NotFound } from '@millrace/errors';
import { type Digest, isDigest, parseDigest } from '../digest.ts';
import { firstPage, resolveListQuery } from '../list-query.ts';
import type {
  BlobInfo,
  BlobPage,
  BlobSource,
  BlobStats,
  BlobStore,
  ListedBlob,
  ListQuery,
  MaterializeOptions,
  PutOptions,
} from '../port.ts';
import { verifiedStream } from '../verified-stream.ts';
import { type DescribedContent, PartCutter } from './cut-parts.ts';
import { LocalCopies } from './local-copies.ts';
import { ObjectReader } from './object-reader.ts';
import { fromS3, isMissing } from './s3-error.ts';
import type { S3Location } from './s3-location.ts';
import { S3Objects } from './s3-objects.ts';
import { sweepUploads } from './sweep-uploads.ts';

export interface S3BlobStoreOptions {
  readonly location: S3Location;
  /** For verified copies of blobs that are wanted as files; created when absent, may be shared by processes. */
  readonly copiesDirectory: string;
  /** Bytes of copies that are kept; default 4 GiB. */
  readonly maxCopyBytes?: number;
  /** Bytes of the first thousand parts of an upload, at least 5 MiB; default 8 MiB. An upload holds four in memory. */
  readonly partBytes?: number;
  /** Tries of one request, with growing pauses between them; default 6. */
  readonly maxAttempts?: number;
  /** Milliseconds after the last part of an upload until opening the store aborts it; default one day. */
  readonly sweepAfterMs?: number;
}

const mebibyte = 1024 * 1024;
const dayMs = 24 * 3_600_000;
/** A blob of this age needs no renewal. */
const youngMs = 60_000;

/**
 * Opens a store of blobs in a bucket: one object each, `<prefix>sha256/<hex>`; what is retired lies below
 * `<prefix>retired/`. Credentials come from the standard
 * chain of AWS clients.
 * @throws FailedPrecondition when the bucket does not exist or may not be used.
 */
export const openS3BlobStore = async (options: S3BlobStoreOptions): Promise<BlobStore> => {
  const { location, partBytes = 8 * mebibyte } = options;
  const objects = new S3Objects(connect(location, options.maxAttempts ?? 6), location.bucket);
  const copies = await LocalCopies.open(options.copiesDirectory, options.maxCopyBytes ?? 4_096 * mebibyte);
  try {
    await sweepUploads(objects, location.prefix, Date.now() - (options.sweepAfterMs ?? dayMs));
  } catch (thrown) {
    objects.close();
    throw fromS3(thrown);
  }
  return new S3BlobStore(objects, copies, location.prefix, partBytes);
};

const connect = ({ endpoint, region, pathStyle }: S3Location, maxAttempts: number): S3Client =>
  new S3Client({
    forcePathStyle: pathStyle,
    maxAttempts,
    // Checksums are SHA-256 and given where they are due; other servers refuse the client's own default.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000 },
    ...(endpoint === undefined ? {} : { endpoint, region: region ?? 'us-east-1' }),
    ...(region === undefined ? {} : { region }),
  });

class S3BlobStore implements BlobStore {
  readonly #objects: S3Objects;
  readonly #copies: LocalCopies;
  readonly #keyBase: string;
  readonly #retiredBase: string;
  readonly #partBytes: number;
  /** Blobs that were read with wrong bytes, whatever checksum the server keeps of them. */
  readonly #damaged = new Set<Digest>();

  constructor(objects: S3Objects, copies: LocalCopies, prefix: string, partBytes: number) {
    this.#objects = objects;
    this.#copies = copies;
    this.#keyBase = `${prefix}sha256/`;
    this.#retiredBase = `${prefix}retired/`;
    this.#partBytes = partBytes;
  }

  async put(source: BlobSource, options: PutOptions = {}): Promise<BlobInfo> {
    const expected = options.expected === undefined ? undefined : parseDigest(options.expected, 'expected');
    const maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
    const cutter = new PartCutter(this.#partBytes, maxBytes);
    const parts = cutter.parts(source, options);
    try {
      const first = await parts.next();
      const second = first.done === true ? first : await parts.next();
      const begun = [first, second].flatMap(({ value }) => (value === undefined ? [] : [value]));
      if (second.done === true) {
        return await this.#putWhole(begun[0] ?? new Uint8Array(), assertExpected(cutter, expected));
      }
      if (source instanceof Uint8Array || 'file' in source) {
        for await (const _ of parts);
        const content = assertExpected(cutter, expected);
        if (await this.#renew(content)) return infoOf(content);
        return await this.#putParts(new PartCutter(this.#partBytes, maxBytes), source, content.digest);
      }
      const rest = concat(begun, parts);
      if (expected !== undefined) return await this.#sendParts(cutter, rest, expected);
      const { digest } = await this.#copies.keep(rest, {});
      const copy = await this.#copies.read(digest);
      return await this.#putParts(new PartCutter(this.#partBytes, maxBytes), copy, digest);
    } catch (thrown) {
      throw fromS3(thrown);
    } finally {
      await parts.return(undefined);
    }
  }

  async get(digest: Digest): Promise<Readable> {
    return this.#verified(await this.#open(digest), digest);
  }

  async read(digest: Digest, maxBytes: number): Promise<Uint8Array> {
    const reader = await this.#open(digest);
    if (reader.size > maxBytes) {
      await reader.close();
      throw new Exhausted(`blob ${digest} has ${reader.size} bytes, more than the limit of ${maxBytes}`);
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.#verified(reader, digest)) chunks.push(chunk as Uint8Array);
    return Buffer.concat(chunks);
  }

  async has(digest: Digest): Promise<number | undefined> {
    try {
      const found = await this.#objects.head(this.#keyOf(digest));
      return found === undefined ? await this.#takeBack(digest) : found.size;
    } catch (thrown) {
      throw fromS3(thrown);
    }
  }

  async materialize(digest: Digest, path: string, options: MaterializeOptions = {}): Promise<void> {
    parseDigest(digest);
    await this.#copies.materialize(digest, path, options, () => this.get(digest));
  }

  async delete(digest: Digest): Promise<boolean> {
    const key = this.#keyOf(digest);
    try {
      const existed = (await this.#objects.head(key)) !== undefined;
      await this.#objects.delete(key);
      return existed;
    } catch (thrown) {
      throw fromS3(thrown);
    }
  }

  list(query: ListQuery = {}): Promise<BlobPage> {
    return this.#list(this.#keyBase, query);
  }

  async retire(digest: Digest): Promise<boolean> {
    const key = this.#keyOf(digest);
    try {
      const found = await this.#objects.head(key);
      if (found === undefined) return false;
      // In this order it can be read at every moment.
      if (!(await this.#objects.copy(key, this.#retiredKeyOf(digest), found.size))) return false;
      await this.#objects.delete(key);
      return true;
    } catch (thrown) {
      throw fromS3(thrown);
    }
  }

  listRetired(query: ListQuery = {}): Promise<BlobPage> {
    return this.#list(this.#retiredBase, query);
  }

  async purge(digest: Digest): Promise<boolean> {
    const key = this.#retiredKeyOf(digest);
    try {
      const existed = (await this.#objects.head(key)) !== undefined;
      await this.#objects.delete(key);
      return existed;
    } catch (thrown) {
      throw fromS3(thrown);
    }
  }

  async stats(): Promise<BlobStats> {
    let blobs = 0;
    let bytes = 0;
    for await (const { size } of this.#walk(this.#keyBase, '', '', 1_000)) {
      blobs += 1;
      bytes += size;
    }
    return { blobs, bytes };
  }

  async close(): Promise<void> {
    this.#objects.close();
  }

  /** The only way from a digest to a key; checked again here because types do not bind callers at run time. */
  #keyOf(digest: Digest): string {
    return this.#keyBase + parseDigest(digest).slice('sha256:'.length);
  }

  #retiredKeyOf(digest: Digest): string {
    return this.#retiredBase + parseDigest(digest).slice('sha256:'.length);
  }

  async #open(digest: Digest): Promise<ObjectReader> {
    const open = () => ObjectReader.open(this.#objects, this.#keyOf(digest));
    try {
      return await open().catch(async (thrown: unknown) => {
        if (!isMissing(thrown) || (await this.#takeBack(digest)) === undefined) throw thrown;
        return open();
      });
    } catch (thrown) {
      throw isMissing(thrown) ? missingBlob(digest) : fromS3(thrown);
    }
  }

  /**
   * Whoever uses a blob that is aside takes it back. The copy aside stays until it is purged: a deletion by `retire`
   * that comes late, from a slow network, must not take the last one. Its size, or `undefined` when there is none.
   */
  async #takeBack(digest: Digest): Promise<number | undefined> {
    const aside = this.#retiredKeyOf(digest);
    const key = this.#keyOf(digest);
    const found = await this.#objects.head(aside);
    if (found !== undefined && (await this.#objects.copy(aside, key, found.size))) return found.size;
    // It may have been put, or purged, meanwhile.
    return (await this.#objects.head(key))?.size;
  }

  #verified(reader: ObjectReader, digest: Digest): Readable {
    const mapped = {
      next: () =>
        reader.next().catch((thrown: unknown) => {
          throw isMissing(thrown) ? missingBlob(digest) : fromS3(thrown);
        }),
      close: () => reader.close(),
    };
    return verifiedStream(mapped, digest, () => this.#damaged.add(digest));
  }

  /** Small content is one request; that there is such a blob already is told by its refusal. */
  async #putWhole(bytes: Uint8Array, content: DescribedContent): Promise<BlobInfo> {
    const key = this.#keyOf(content.digest);
    const isNew = await this.#objects.put(key, bytes, { onlyNew: !this.#damaged.has(content.digest) });
    if (!isNew && !(await this.#renew(content))) await this.#objects.put(key, bytes, { onlyNew: false });
    this.#damaged.delete(content.digest);
    return infoOf(content);
  }

  #putParts(cutter: PartCutter, source: BlobSource, digest: Digest): Promise<BlobInfo> {
    return this.#sendParts(cutter, cutter.parts(source), digest);
  }

  /** Uploads what the cutter gives under the digest that it must turn out to have. */
  async #sendParts(cutter: PartCutter, parts: AsyncIterable<Buffer>, digest: Digest): Promise<BlobInfo> {
    await this.#objects.putParts(this.#keyOf(digest), parts, {
      isStored: async () => {
        const found = await this.#objects.head(this.#keyOf(digest));
        return found !== undefined && isWhole(found, cutter.describe());
      },
      verify: () => assertExpected(cutter, digest),
    });
    this.#damaged.delete(digest);
    return infoOf(cutter.describe());
  }

  /** Renews the age of a blob that is there and whole; `false` when it must be uploaded. */
  async #renew(content: DescribedContent): Promise<boolean> {
    if (this.#damaged.has(content.digest)) return false;
    const key = this.#keyOf(content.digest);
    const found = await this.#objects.head(key);
    if (found === undefined || !isWhole(found, content)) return false;
    if (Date.now() - found.modifiedMs < youngMs) return true;
    // Some servers change only the metadata then, and the time stays.
    if (!(await this.#objects.copy(key, key, found.size))) return false;
    return ((await this.#objects.head(key))?.modifiedMs ?? 0) > found.modifiedMs;
  }

  async #list(base: string, query: ListQuery): Promise<BlobPage> {
    const { hexPrefix, afterHex, limit } = resolveListQuery(query);
    return firstPage(this.#walk(base, hexPrefix, afterHex, Math.min(limit + 1, 1_000)), limit);
  }

  /** Blobs below a key with the prefix and after the given digits, in order. */
  async *#walk(
    base: string,
    hexPrefix: string,
    afterHex: string,
    pageSize: number,
  ): AsyncGenerator<ListedBlob> {
    let after = afterHex === '' ? '' : base + afterHex;
    for (;;) {
      const page = await this.#objects.list(base + hexPrefix, after, pageSize).catch((thrown: unknown) => {
        throw fromS3(thrown);
      });
      const objects = page.Contents ?? [];
      for (const { Key = '', Size = 0, LastModified } of objects) {
        after = Key;
        const digest = `sha256:${Key.slice(base.length)}`;
        if (isDigest(digest)) {
          yield { digest, size: Size, storedAt: (LastModified ?? new Date(0)).toISOString() };
        }
      }
      if (page.IsTruncated !== true || objects.length === 0) return;
    }
  }
}

const infoOf = ({ digest, size }: DescribedContent): BlobInfo => ({ digest, size });

const isWhole = (
  found: { readonly size: number; readonly checksum: string | undefined },
  { size, checksums }: DescribedContent,
): boolean => found.size === size && found.checksum !== undefined && checksums.includes(found.checksum);

const assertExpected = (cutter: PartCutter, expected: Digest | undefined): DescribedContent => {
  const content = cutter.describe();
  if (expected !== undefined && content.digest !== expected) {
    throw Invalid.field('expected', `is ${expected}, but the content has digest ${content.digest}`);
  }
  return content;
};

const missingBlob = (digest: Digest): NotFound =>
  new NotFound(`there is no blob ${digest}`, { details: { digest } });

async function* concat(begun: readonly Buffer[], rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* begun;
  yield* rest;
}
