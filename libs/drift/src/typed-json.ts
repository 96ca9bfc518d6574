import { Invalid } from '@millrace/errors';

/** Base64 of an array's bytes; every platform that Node supports here is little-endian. */
export const encodeTyped = (array: Float64Array | Uint32Array): string =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64');

const bytesOf = (text: string, size: number): ArrayBuffer => {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length % size !== 0) throw new Invalid(`${bytes.length} bytes are not a whole number of values`);
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
};

export const decodeFloat64 = (text: string): Float64Array => new Float64Array(bytesOf(text, 8));
export const decodeUint32 = (text: string): Uint32Array => new Uint32Array(bytesOf(text, 4));
