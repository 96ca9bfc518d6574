import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { crashPoint } from '@millrace/crash-points';
import { asMillraceError, Exhausted, Invalid, NotFound } from '@millrace/errors';
import { type Digest, isDigest, parseDigest } from './digest.ts';
import { firstPage, resolveListQuery } from './list-query.ts';
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
} from './port.ts';
import { releasePiece } from './release-piece.ts';
import { takeAll } from './source.ts';
import { damagedBlob, digestOfFile, fileReader, verifiedStream } from './verified-stream.ts';

export interface FsBlobStoreOptions {
  /** Created when absent. Several processes may share it; they must run as one user. */
  readonly directory: string;
  /**
   * Milliseconds after the last write to a temporary file until opening the store takes it for the leftover
   * of a crash and removes it; default one hour. A slow upload that still moves is never swept.
   */
  readonly sweepAfterMs?: number;
}

const hourMs = 3_600_000;
const shards = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'));

const isMissing = (error: unknown): boolean => (error as { code?: string } | null)?.code === 'ENOENT';

const syncDirectory = async (path: string): Promise<void> => {
  const handle = await fs.open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Removes a temporary file; one that is gone already (swept, or renamed by a racing success) is fine. */
const discard = (path: string): Promise<void> => fs.rm(path, { force: true });

/**
 * Opens (and on first use creates) a store of blobs in a directory: `sha256/ab/cdef…`, one file each; what is
 * retired lies in `retired/`.
 */
export const openFsBlobStore = async (options: FsBlobStoreOptions): Promise<BlobStore> => {
  const root = join(options.directory, 'sha256');
  const temporary = join(options.directory, 'tmp');
  const retired = join(options.directory, 'retired');
  try {
    await fs.mkdir(temporary, { recursive: true, mode: 0o700 });
    await fs.mkdir(retired, { recursive: true });
    await Promise.all(shards.map((shard) => fs.mkdir(join(root, shard), { recursive: true })));
    await syncDirectory(root);
    await syncDirectory(options.directory);
    await sweep(temporary, Date.now() - (options.sweepAfterMs ?? hourMs));
  } catch (error) {
    throw asMillraceError(error);
  }
  return new FsBlobStore(root, temporary, retired);
};

/** Removes temporary files last written before `olderThanMs` (Unix time). */
const sweep = async (temporary: string, olderThanMs: number): Promise<void> => {
  for (const name of await fs.readdir(temporary)) {
    const path = join(temporary, name);
    const found = await fs.stat(path).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (found !== undefined && found.mtimeMs <= olderThanMs) await discard(path);
  }
};

class FsBlobStore implements BlobStore {
  readonly #root: string;
  readonly #temporary: string;
  readonly #retired: string;

  constructor(root: string, temporary: string, retired: string) {
    this.#root = root;
    this.#temporary = temporary;
    this.#retired = retired;
  }

  async put(source: BlobSource, options: PutOptions = {}): Promise<BlobInfo> {
    const expected = options.expected === undefined ? undefined : parseDigest(options.expected, 'expected');
    const path = join(this.#temporary, randomUUID());
    try {
      const written = await writeFile(path, source, options);
      if (expected !== undefined && written.digest !== expected) {
        throw Invalid.field('expected', `is ${expected}, but the content has digest ${written.digest}`);
      }
      // Replacing a copy that exists costs nothing, heals it if it is damaged and renews its age.
      const target = this.#pathOf(written.digest);
      await fs.rename(path, target);
      await syncDirectory(dirname(target));
      return written;
    } catch (error) {
      await discard(path);
      throw asMillraceError(error);
    }
  }

  async get(digest: Digest): Promise<Readable> {
    return verifiedStream(fileReader(await this.#open(digest)), digest);
  }

  async read(digest: Digest, maxBytes: number): Promise<Uint8Array> {
    const handle = await this.#open(digest);
    const { size } = await handle.stat();
    const stream = verifiedStream(fileReader(handle), digest);
    if (size > maxBytes) {
      stream.destroy();
      throw new Exhausted(`blob ${digest} has ${size} bytes, more than the limit of ${maxBytes}`);
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream) chunks.push(chunk as Uint8Array);
    return Buffer.concat(chunks);
  }

  async has(digest: Digest): Promise<number | undefined> {
    const stat = async () => (await fs.stat(this.#pathOf(digest))).size;
    try {
      return await this.#orTakenBack(digest, stat);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw asMillraceError(error);
    }
  }

  async materialize(digest: Digest, path: string, options: MaterializeOptions = {}): Promise<void> {
    const source = this.#pathOf(digest);
    const beside = join(dirname(path), `.${randomUUID()}.tmp`);
    const bring = options.as === 'link' ? linkOrCopy : copyWritable;
    try {
      await this.#orTakenBack(digest, () => bring(source, beside));
      crashPoint('mid-load');
      await verify(beside, digest);
      await fs.rename(beside, path);
      // Renaming one hard link of a file over another does nothing, and leaves the first.
      await discard(beside);
    } catch (error) {
      await discard(beside);
      if (isMissing(error) && (await this.has(digest)) === undefined) throw missingBlob(digest);
      throw asMillraceError(error);
    }
  }

  async delete(digest: Digest): Promise<boolean> {
    const path = this.#pathOf(digest);
    try {
      await fs.unlink(path);
      await syncDirectory(dirname(path));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw asMillraceError(error);
    }
  }

  async list(query: ListQuery = {}): Promise<BlobPage> {
    const { hexPrefix, afterHex, limit } = resolveListQuery(query);
    return firstPage(this.#walk(hexPrefix, afterHex), limit);
  }

  async retire(digest: Digest): Promise<boolean> {
    const path = this.#pathOf(digest);
    try {
      await touch(path);
      await fs.rename(path, this.#retiredPathOf(digest));
      await syncDirectory(this.#retired);
      await syncDirectory(dirname(path));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw asMillraceError(error);
    }
  }

  async listRetired(query: ListQuery = {}): Promise<BlobPage> {
    const { hexPrefix, afterHex, limit } = resolveListQuery(query);
    const names = (await fs.readdir(this.#retired)).filter(
      (hex) => hex.startsWith(hexPrefix) && hex > afterHex,
    );
    return firstPage(describeFiles(this.#retired, '', names.sort()), limit);
  }

  async purge(digest: Digest): Promise<boolean> {
    try {
      await fs.unlink(this.#retiredPathOf(digest));
      await syncDirectory(this.#retired);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw asMillraceError(error);
    }
  }

  async stats(): Promise<BlobStats> {
    let blobs = 0;
    let bytes = 0;
    for await (const { size } of this.#walk('', '')) {
      blobs += 1;
      bytes += size;
    }
    return { blobs, bytes };
  }

  async close(): Promise<void> {}

  /** The only way from a digest to a path; checked again here because types do not bind callers at run time. */
  #pathOf(digest: Digest): string {
    const hex = parseDigest(digest).slice('sha256:'.length);
    return join(this.#root, hex.slice(0, 2), hex.slice(2));
  }

  async #open(digest: Digest): Promise<fs.FileHandle> {
    const path = this.#pathOf(digest);
    try {
      return await this.#orTakenBack(digest, () => fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW));
    } catch (error) {
      throw isMissing(error) ? missingBlob(digest) : asMillraceError(error);
    }
  }

  /** Blobs with the prefix and after the given digits, in order. */
  async *#walk(hexPrefix: string, afterHex: string): AsyncGenerator<ListedBlob> {
    const wanted = shards.filter(
      (shard) => shard.startsWith(hexPrefix.slice(0, 2)) && shard >= afterHex.slice(0, 2),
    );
    for (const shard of wanted) {
      const directory = join(this.#root, shard);
      const names = (await fs.readdir(directory)).filter((name) => {
        const hex = shard + name;
        return hex.startsWith(hexPrefix) && hex > afterHex;
      });
      yield* describeFiles(directory, shard, names.sort());
    }
  }

  #retiredPathOf(digest: Digest): string {
    return join(this.#retired, parseDigest(digest).slice('sha256:'.length));
  }

  /** Does it again once when the blob was aside: whoever uses it takes it back, and renews its age. */
  async #orTakenBack<T>(digest: Digest, use: () => Promise<T>): Promise<T> {
    try {
      return await use();
    } catch (error) {
      if (!isMissing(error) || !(await this.#takeBack(digest))) throw error;
      return use();
    }
  }

  async #takeBack(digest: Digest): Promise<boolean> {
    const aside = this.#retiredPathOf(digest);
    const path = this.#pathOf(digest);
    try {
      await touch(aside);
      await fs.rename(aside, path);
      await syncDirectory(dirname(path));
      return true;
    } catch (error) {
      if (!isMissing(error)) throw error;
      // Another reader may have been faster.
      return fs.stat(path).then(
        () => true,
        () => false,
      );
    }
  }
}

const touch = (path: string): Promise<void> => fs.utimes(path, new Date(), new Date());

/** Files whose names, after the given digits, are digests. One that is gone meanwhile is left out. */
async function* describeFiles(
  directory: string,
  leadingHex: string,
  names: readonly string[],
): AsyncGenerator<ListedBlob> {
  for (const name of names) {
    const found = await fs.stat(join(directory, name)).catch(() => undefined);
    const digest = `sha256:${leadingHex}${name}`;
    if (found === undefined || !isDigest(digest)) continue;
    yield { digest, size: found.size, storedAt: found.mtime.toISOString() };
  }
}

const missingBlob = (digest: Digest): NotFound =>
  new NotFound(`there is no blob ${digest}`, { details: { digest } });

/** What comes over a network comes in small pieces: so many bytes are written together. */
const writtenTogether = 1024 * 1024;
/** Pieces after which a sync begins: one sync of everything at the end would hold up all others of the same disk. */
const writesPerSync = 8;

/** Writes, hashes and syncs a new file that nobody can change afterwards. */
const writeFile = async (path: string, source: BlobSource, options: PutOptions): Promise<BlobInfo> => {
  const { maxBytes = Number.POSITIVE_INFINITY } = options;
  const hash = createHash('sha256');
  let size = 0;
  const handle = await fs.open(path, 'wx', 0o600);
  const writer = new BehindWriter(handle);
  try {
    await takeAll(source, options, async (chunk) => {
      size += chunk.length;
      if (size > maxBytes) throw new Exhausted(`the content is longer than the limit of ${maxBytes} bytes`);
      hash.update(chunk);
      await writer.write(chunk);
    });
    await writer.finish();
    await handle.chmod(0o444);
    await handle.sync();
  } finally {
    await writer.close();
    await handle.close();
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
};

/** Writes what came while the next pieces come, from two buffers of its own: what was hashed is what is written. */
class BehindWriter {
  readonly #handle: fs.FileHandle;
  /** Takes what comes; the other is being written. */
  #filling = Buffer.alloc(0);
  #filled = 0;
  #other = Buffer.alloc(0);
  #writing: Promise<void> = Promise.resolve();
  #writes = 0;
  #syncing: Promise<void> = Promise.resolve();

  constructor(handle: fs.FileHandle) {
    this.#handle = handle;
  }

  /** Takes a copy of the piece. Throws what an earlier write failed with. */
  async write(piece: Uint8Array): Promise<void> {
    for (let rest = piece; rest.length > 0; ) {
      if (this.#filling.length === 0) this.#filling = Buffer.allocUnsafeSlow(writtenTogether);
      const taken = rest.subarray(0, writtenTogether - this.#filled);
      this.#filling.set(taken, this.#filled);
      this.#filled += taken.length;
      if (this.#filled === writtenTogether) await this.#begin();
      rest = rest.subarray(taken.length);
    }
  }

  async finish(): Promise<void> {
    await this.#begin();
    await this.#writing;
    await this.#syncing;
  }

  /** Resolves when nothing is under way any more, however that ended. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#syncing]);
    releasePiece(this.#filling);
    releasePiece(this.#other);
  }

  async #begin(): Promise<void> {
    await this.#writing;
    if (this.#filled === 0) return;
    if (this.#writes > 0 && this.#writes % writesPerSync === 0) await this.#beginSync();
    this.#writes += 1;
    const full = this.#filling;
    this.#writing = this.#handle
      .writeFile(full.subarray(0, this.#filled))
      .then(() => crashPoint('mid-upload'));
    // Whoever waits for it next is told.
    this.#writing.catch(() => {});
    this.#filling = this.#other;
    this.#other = full;
    this.#filled = 0;
  }

  async #beginSync(): Promise<void> {
    await this.#syncing;
    this.#syncing = this.#handle.datasync();
    this.#syncing.catch(() => {});
  }
}

const copyWritable = async (source: string, target: string): Promise<void> => {
  await fs.copyFile(source, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  await fs.chmod(target, 0o644);
};

const linkOrCopy = async (source: string, target: string): Promise<void> => {
  try {
    await fs.link(source, target);
  } catch (error) {
    // Another file system, one without hard links, or too many links.
    if (!['EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK'].includes((error as { code?: string }).code ?? ''))
      throw error;
    await fs.copyFile(source, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  }
};

const verify = async (path: string, digest: Digest): Promise<void> => {
  const handle = await fs.open(path, constants.O_RDONLY);
  try {
    const found = await digestOfFile(handle);
    if (found !== digest) throw damagedBlob(digest, found);
  } finally {
    await handle.close();
  }
};
