import { createReadStream } from 'node:fs';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import { Invalid } from '@millrace/errors';
import type { BlobSource, PutOptions } from './port.ts';
import { releasePiece } from './release-piece.ts';

const pieceBytes = 1024 * 1024;
/** What may be hashed before the event loop has its turn. */
const bytesPerTurn = 256 * 1024;

function* slices(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length);
}

const assertBytes = (piece: unknown): Uint8Array => {
  if (piece instanceof Uint8Array) return piece;
  throw Invalid.field('source', `must give bytes, not ${typeof piece}`);
};

type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

const piecesOf = (source: BlobSource): Pieces => {
  if (source instanceof Uint8Array) return slices(source, pieceBytes);
  return 'file' in source ? createReadStream(source.file, { highWaterMark: pieceBytes }) : source;
};

/** Any source as chunks of bytes. @throws Invalid on a chunk that is not bytes (a stream with an encoding). */
export async function* chunksOf(source: BlobSource): AsyncGenerator<Uint8Array> {
  for await (const piece of piecesOf(source)) yield* slices(assertBytes(piece), pieceBytes);
}

/**
 * Gives any source to `take`, which is done with a chunk when it resolves, and the event loop its turn in between: a socket
 * that always has more would be read and hashed for some MiB before anybody else is served.
 *
 * @throws Invalid on a chunk that is not bytes (a stream with an encoding)
 */
export const takeAll = (
  source: BlobSource,
  options: PutOptions,
  take: (chunk: Uint8Array) => Promise<void>,
): Promise<void> => {
  const isOwn = areChunksOwn(source, options);
  let sinceTurn = 0;
  const takePiece = async (piece: Uint8Array): Promise<void> => {
    for (const chunk of slices(assertBytes(piece), bytesPerTurn)) {
      await take(chunk);
      sinceTurn += chunk.length;
      if (sinceTurn >= bytesPerTurn) {
        await turnOfOthers();
        sinceTurn = 0;
      }
    }
    if (isOwn) releasePiece(piece);
  };
  // Not by iteration: that joins what a stream has buffered to new pieces, and nobody can free the old ones.
  const sink = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write: (piece, _encoding, done) => {
      takePiece(piece).then(() => done(), done);
    },
  });
  return pipeline(piecesOf(source), sink);
};

/** Whether whoever takes a source's chunks may free them. */
export const areChunksOwn = (source: BlobSource, { handedOver = false }: PutOptions): boolean =>
  !(source instanceof Uint8Array) && (handedOver || 'file' in source);
