import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { crashPoint } from '@millrace/crash-points';
import { Internal } from '@millrace/errors';
import { count } from '@millrace/telemetry';
import type { Digest } from './digest.ts';

const chunkBytes = 256 * 1024;

/** The error of a blob whose bytes are no longer what its name says. */
export const damagedBlob = (digest: Digest, found: Digest): Internal =>
  new Internal(`blob ${digest} is damaged: its bytes have digest ${found}`, {
    hint: 'Put the true content again, or delete the blob and run the step that produced it.',
    details: { digest, found },
  });

/** Bytes of a blob, one piece after the other. */
export interface BlobReader {
  /** The next piece, never empty; `undefined` at the end. */
  next(): Promise<Buffer | undefined>;
  close(): Promise<void>;
}

/** Reads an open file, which it owns: a piece ahead of what is asked for. */
export const fileReader = (handle: FileHandle): BlobReader => {
  const read = async (): Promise<Buffer | undefined> => {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes);
    return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
  };
  let ahead: Promise<Buffer | undefined> | undefined;
  return {
    next: async () => {
      const piece = await (ahead ?? read());
      ahead = piece === undefined ? undefined : read();
      // Whoever asks for it is told.
      ahead?.catch(() => {});
      return piece;
    },
    close: async () => {
      await ahead?.catch(() => {});
      await handle.close();
    },
  };
};

/**
 * A stream that holds back its last piece until the digest of everything is proven. Owns the reader: it is closed
 * on end, error and destroy. `onDamage` is told before the stream fails for wrong bytes.
 */
export const verifiedStream = (reader: BlobReader, digest: Digest, onDamage = () => {}): Readable => {
  const hash = createHash('sha256');
  let held: Buffer | undefined;

  const readNext = async (stream: Readable): Promise<void> => {
    for (;;) {
      const piece = await reader.next();
      const ready = held;
      if (piece === undefined) {
        const found: Digest = `sha256:${hash.digest('hex')}`;
        if (found !== digest) {
          onDamage();
          throw damagedBlob(digest, found);
        }
        if (ready !== undefined) stream.push(ready);
        stream.push(null);
        return;
      }
      crashPoint('mid-load');
      count('millrace_blob_transferred_bytes_total', { operation: 'get' }, piece.length);
      held = piece;
      hash.update(piece);
      if (ready !== undefined) {
        stream.push(ready);
        return;
      }
    }
  };

  return new Readable({
    highWaterMark: chunkBytes,
    read() {
      readNext(this).catch((error: Error) => this.destroy(error));
    },
    destroy(error, done) {
      reader.close().then(
        () => done(error),
        (closing: Error) => done(error ?? closing),
      );
    },
  });
};

/** Digest of a file's bytes. */
export const digestOfFile = async (handle: FileHandle): Promise<Digest> => {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, chunkBytes, position);
    if (bytesRead === 0) return `sha256:${hash.digest('hex')}`;
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
};
