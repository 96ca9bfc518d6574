import { createHash, type Hash } from 'node:crypto';
import { Exhausted } from '@millrace/errors';
import type { Digest } from '../digest.ts';
import type { BlobInfo, BlobSource, PutOptions } from '../port.ts';
import { releasePiece } from '../release-piece.ts';
import { areChunksOwn, chunksOf } from '../source.ts';

/** Every so many parts their size doubles, because S3 takes 10,000 of them. */
const partsOfOneSize = 1_000;

const sizeOfPart = (index: number, partBytes: number): number =>
  partBytes * 2 ** Math.floor(index / partsOfOneSize);

/** SHA-256 in base64, as S3 writes checksums. */
export const checksumOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

/** The checksum that S3 gives to an object of one part whose content has this digest. */
export const checksumOfDigest = (digest: Digest): string =>
  Buffer.from(digest.slice('sha256:'.length), 'hex').toString('base64');

/** Content with every checksum under which an object store may know it. */
export interface DescribedContent extends BlobInfo {
  /** Of the whole, and of the checksums of the parts with their number, as after a multipart upload. */
  readonly checksums: readonly string[];
}

/** Cuts a source into parts for an upload; knows digest and size of what has passed. */
export class PartCutter {
  readonly #hash: Hash = createHash('sha256');
  readonly #ofParts: Hash = createHash('sha256');
  readonly #partBytes: number;
  readonly #maxBytes: number;
  #size = 0;
  #parts = 0;

  constructor(partBytes: number, maxBytes: number) {
    this.#partBytes = partBytes;
    this.#maxBytes = maxBytes;
  }

  /** @throws Exhausted when the source gives more than the limit. */
  async *parts(source: BlobSource, options: PutOptions = {}): AsyncGenerator<Buffer> {
    const isOwn = areChunksOwn(source, options);
    let pieces: Uint8Array[] = [];
    let gathered = 0;
    for await (const chunk of chunksOf(source)) {
      this.#count(chunk);
      for (let rest = chunk; rest.length > 0; ) {
        const wanted = sizeOfPart(this.#parts, this.#partBytes) - gathered;
        const piece = rest.subarray(0, wanted);
        rest = rest.subarray(wanted);
        pieces.push(piece);
        gathered += piece.length;
        if (piece.length === wanted) {
          yield this.#finish(pieces, isOwn);
          pieces = [];
          gathered = 0;
        }
      }
    }
    if (gathered > 0) yield this.#finish(pieces, isOwn);
  }

  /** What has passed, once everything has. */
  describe(): DescribedContent {
    const digest: Digest = `sha256:${this.#hash.copy().digest('hex')}`;
    const ofParts = `${this.#ofParts.copy().digest('base64')}-${this.#parts}`;
    return { digest, size: this.#size, checksums: [checksumOfDigest(digest), ofParts] };
  }

  #count(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) {
      throw new Exhausted(`the content is longer than the limit of ${this.#maxBytes} bytes`);
    }
    this.#hash.update(chunk);
  }

  #finish(pieces: readonly Uint8Array[], isOwn: boolean): Buffer {
    const part = Buffer.concat(pieces);
    if (isOwn) pieces.forEach(releasePiece);
    this.#ofParts.update(createHash('sha256').update(part).digest());
    this.#parts += 1;
    return part;
  }
}
