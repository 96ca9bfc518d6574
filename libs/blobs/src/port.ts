import type { Readable } from 'node:stream';
import type { Digest } from './digest.ts';

/**
 * Keeps immutable bytes under the SHA-256 of their content. Nothing can be changed in place, so there is no
 * rename, append or overwrite, and every operation maps to one or a few calls of an object store.
 *
 * Guarantees of every adapter:
 * - a blob is visible whole or not at all, and is durable when `put` resolves;
 * - putting the same content again, even at the same time, is harmless and repairs a damaged copy;
 * - bytes handed out were compared with the digest; a damaged blob fails instead of ending normally;
 * - a blob that was retired is found again by whoever asks for it, until it is purged;
 * - a digest that is not well formed throws `Invalid` before anything is touched.
 */
export interface BlobStore {
  /**
   * Stores the content and names it.
   * @throws Invalid when the content is not what `expected` promises.
   * @throws Exhausted when the store is full or the content is longer than `maxBytes`; nothing stays behind.
   */
  put(source: BlobSource, options?: PutOptions): Promise<BlobInfo>;
  /**
   * Streams a blob, hashing on the way. The last chunk is given only once the digest is proven, so a reader
   * that received every byte or the end has the true content; otherwise the stream fails with `Internal`.
   * The chunks are the reader's: it may free them (`releasePiece`).
   * @throws NotFound
   */
  get(digest: Digest): Promise<Readable>;
  /**
   * The whole verified content in memory.
   * @throws NotFound
   * @throws Exhausted when it is longer than `maxBytes`, before reading it.
   */
  read(digest: Digest, maxBytes: number): Promise<Uint8Array>;
  /** Size in bytes, or `undefined` when there is no such blob. Does not read the content. */
  has(digest: Digest): Promise<number | undefined>;
  /**
   * Makes the verified content available as a local file, replacing what is at `path` in one step. The
   * directory must exist. The caller vouches for `path`: it must never come from a request unchecked.
   * @throws NotFound
   */
  materialize(digest: Digest, path: string, options?: MaterializeOptions): Promise<void>;
  /** Removes a blob; `false` when there was none. */
  delete(digest: Digest): Promise<boolean>;
  /** Blobs in ascending order of digest. */
  list(query?: ListQuery): Promise<BlobPage>;
  /**
   * Puts a blob aside for a collector of garbage: it is no longer listed, yet whoever asks for it by any other
   * method finds it and thereby takes it back. `false` when there is none.
   */
  retire(digest: Digest): Promise<boolean>;
  /**
   * Blobs put aside, in ascending order of digest; `storedAt` is when that was. A copy of one that was taken back
   * may be listed until it is purged.
   */
  listRetired(query?: ListQuery): Promise<BlobPage>;
  /** Removes a blob that is aside for good. One that was taken back, or put again, stays. `false` when there is none. */
  purge(digest: Digest): Promise<boolean>;
  /** Counts by walking the store: for reports, not for hot paths. */
  stats(): Promise<BlobStats>;
  close(): Promise<void>;
}

/** Bytes in memory, a stream (Node or web), or a local file. */
export type BlobSource = Uint8Array | AsyncIterable<Uint8Array> | { readonly file: string };

export interface PutOptions {
  /** Refuse content that has another digest. */
  readonly expected?: Digest;
  /** Refuse content that is longer; default no limit. */
  readonly maxBytes?: number;
  /**
   * The chunks of the stream become the store's, which may free each as soon as it has used it; default they stay the
   * source's. Only for chunks that nobody else reads.
   */
  readonly handedOver?: boolean;
}

export interface MaterializeOptions {
  /**
   * `copy` (default): a file of its own that may be changed, sharing disk blocks where the file system can.
   * `link`: a read-only hard link where possible, for readers that are trusted not to change it.
   */
  readonly as?: 'copy' | 'link';
}

export interface BlobInfo {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

export interface ListedBlob extends BlobInfo {
  /** ISO 8601, UTC: when it was last put. A collector of garbage spares the young. */
  readonly storedAt: string;
}

export interface ListQuery {
  /** Beginning of the digest (`sha256:ab`); default all. */
  readonly prefix?: string;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
  /** 1 to 1,000; default 100. */
  readonly limit?: number;
}

export interface BlobPage {
  readonly items: readonly ListedBlob[];
  readonly nextCursor?: string;
}

export interface BlobStats {
  readonly blobs: number;
  readonly bytes: number;
}
