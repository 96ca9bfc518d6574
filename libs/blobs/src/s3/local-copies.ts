import type { Readable } from 'node:stream';
import { ErrorCode, MillraceError } from '@millrace/errors';
import type { Digest } from '../digest.ts';
import { openFsBlobStore } from '../fs-blob-store.ts';
import type { BlobInfo, BlobSource, BlobStore, ListedBlob, MaterializeOptions, PutOptions } from '../port.ts';

/** When too much is kept, so much of the limit stays. */
const shareToKeep = 0.8;

/**
 * Verified copies of blobs on this machine, for readers that want files: bounded, shared by processes, and never
 * needed: what is missing or damaged is fetched again.
 */
export class LocalCopies {
  readonly #store: BlobStore;
  readonly #maxBytes: number;
  #bytes: number;

  private constructor(store: BlobStore, maxBytes: number, bytes: number) {
    this.#store = store;
    this.#maxBytes = maxBytes;
    this.#bytes = bytes;
  }

  static async open(directory: string, maxBytes: number): Promise<LocalCopies> {
    const store = await openFsBlobStore({ directory });
    const { bytes } = await store.stats();
    return new LocalCopies(store, maxBytes, bytes);
  }

  /** Keeps content whose digest is not known yet. */
  async keep(source: BlobSource, options: PutOptions): Promise<BlobInfo> {
    const info = await this.#store.put(source, options);
    await this.#count(info.size, info.digest);
    return info;
  }

  read(digest: Digest): Promise<Readable> {
    return this.#store.get(digest);
  }

  async materialize(
    digest: Digest,
    path: string,
    options: MaterializeOptions,
    fetch: () => Promise<Readable>,
  ): Promise<void> {
    try {
      await this.#store.materialize(digest, path, options);
      return;
    } catch (thrown) {
      if (!isLost(thrown)) throw thrown;
    }
    await this.keep(await fetch(), { expected: digest });
    await this.#store.materialize(digest, path, options);
  }

  /** Makes room, oldest first; the copy just made stays. */
  async #count(size: number, digest: Digest): Promise<void> {
    this.#bytes += size;
    if (this.#bytes <= this.#maxBytes) return;
    const copies = (await this.#all()).sort((a, b) => a.storedAt.localeCompare(b.storedAt));
    let bytes = copies.reduce((sum, copy) => sum + copy.size, 0);
    for (const copy of copies) {
      if (bytes <= this.#maxBytes * shareToKeep) break;
      if (copy.digest !== digest && (await this.#store.delete(copy.digest))) bytes -= copy.size;
    }
    this.#bytes = bytes;
  }

  async #all(): Promise<ListedBlob[]> {
    const copies: ListedBlob[] = [];
    let cursor = '';
    for (;;) {
      const page = await this.#store.list({ limit: 1_000, cursor });
      copies.push(...page.items);
      if (page.nextCursor === undefined) return copies;
      cursor = page.nextCursor;
    }
  }
}

/** Missing, or no longer what its name says. */
const isLost = (thrown: unknown): boolean =>
  thrown instanceof MillraceError &&
  (thrown.code === ErrorCode.notFound || thrown.details.found !== undefined);
