import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { BlobReader } from '../verified-stream.ts';
import { isTransient } from './s3-error.ts';
import type { S3Objects } from './s3-objects.ts';

/** Failures in a row, without a byte between them, until a download is given up. */
const maxFailures = 5;
const firstPauseMs = 100;

/**
 * Reads an object; when the connection breaks, it goes on where it was. What comes then may be of another upload
 * of the same content, which the digest tells at the end.
 */
export class ObjectReader implements BlobReader {
  readonly size: number;
  readonly #objects: S3Objects;
  readonly #key: string;
  #body: Readable;
  #pieces: AsyncIterator<Buffer>;
  #received = 0;
  #failures = 0;

  private constructor(objects: S3Objects, key: string, size: number, body: Readable) {
    this.#objects = objects;
    this.#key = key;
    this.size = size;
    this.#body = body;
    this.#pieces = body[Symbol.asyncIterator]();
  }

  static async open(objects: S3Objects, key: string): Promise<ObjectReader> {
    const { Body, ContentLength } = await objects.get(key, 0);
    return new ObjectReader(objects, key, ContentLength ?? 0, Body as Readable);
  }

  async next(): Promise<Buffer | undefined> {
    for (;;) {
      try {
        const { done, value } = await this.#pieces.next();
        if (done === true && this.#received >= this.size) return undefined;
        if (done === true) throw brokenOff();
        if (value.length === 0) continue;
        this.#received += value.length;
        this.#failures = 0;
        return value;
      } catch (thrown) {
        await this.#goOn(thrown);
      }
    }
  }

  async close(): Promise<void> {
    this.#body.destroy();
  }

  /** Opens the rest of the object after a failure. */
  async #goOn(thrown: unknown): Promise<void> {
    this.#body.destroy();
    this.#failures += 1;
    if (!isTransient(thrown) || this.#failures > maxFailures) throw thrown;
    await pause(firstPauseMs * 2 ** (this.#failures - 1));
    // Nothing is left to ask for when only the end was not told.
    if (this.#received >= this.size) return;
    const { Body, ContentRange } = await this.#objects.get(this.#key, this.#received);
    if (this.#received > 0 && ContentRange === undefined) throw thrown;
    this.#body = Body as Readable;
    this.#pieces = this.#body[Symbol.asyncIterator]();
  }
}

const brokenOff = (): Error => Object.assign(new Error('the download ended early'), { code: 'ECONNRESET' });
