import { createReadStream } from 'node:fs';
import { Invalid } from '@millrace/errors';
import type { BlobSource, PutOptions } from './port.ts';

const chunkBytes = 1024 * 1024;

/** Slices, so that hashing a large buffer never holds the event loop for long. */
function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    yield bytes.subarray(start, start + chunkBytes);
  }
}

/** Any source as chunks of bytes. @throws Invalid on a chunk that is not bytes (a stream with an encoding). */
export async function* chunksOf(source: BlobSource): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) {
    yield* slices(source);
    return;
  }
  const stream = 'file' in source ? createReadStream(source.file, { highWaterMark: chunkBytes }) : source;
  for await (const chunk of stream) {
    if (!(chunk instanceof Uint8Array)) {
      throw Invalid.field('source', `must give bytes, not ${typeof chunk}`);
    }
    yield* slices(chunk);
  }
}

/** Whether whoever takes a source's chunks may free them. */
export const areChunksOwn = (source: BlobSource, { handedOver = false }: PutOptions): boolean =>
  !(source instanceof Uint8Array) && (handedOver || 'file' in source);
