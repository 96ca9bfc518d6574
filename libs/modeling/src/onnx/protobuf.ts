import { Invalid } from '@millrace/errors';

/** One field of a protobuf message as it stands on the wire. */
export interface WireField {
  readonly number: number;
  /** A varint or a fixed number as such; a length-delimited field as its bytes. */
  readonly value: bigint | Uint8Array;
}

const damaged = (): Invalid => new Invalid('the ONNX model is damaged: its protobuf does not read');

/** Walks over the fields of a message without copying. Throws `Invalid` on anything that ends too early. */
export function* fieldsOf(message: Uint8Array): Generator<WireField> {
  let at = 0;
  const take = (length: number): Uint8Array => {
    if (length > message.length - at) throw damaged();
    at += length;
    return message.subarray(at - length, at);
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = take(1)[0] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw damaged();
  };
  const fixed = (length: 4 | 8): bigint =>
    take(length).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  while (at < message.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    switch (Number(tag & 7n)) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        yield { number, value: fixed(8) };
        break;
      case 2:
        yield { number, value: take(Number(varint())) };
        break;
      case 5:
        yield { number, value: fixed(4) };
        break;
      default:
        throw damaged();
    }
  }
}

export const textOf = (value: bigint | Uint8Array): string => {
  if (typeof value === 'bigint') throw damaged();
  return new TextDecoder().decode(value);
};

export const messageOf = (value: bigint | Uint8Array): Uint8Array => {
  if (typeof value === 'bigint') throw damaged();
  return value;
};

export const integerOf = (value: bigint | Uint8Array): number => {
  if (typeof value !== 'bigint') throw damaged();
  return Number(BigInt.asIntN(64, value));
};

/** A repeated integer, one by one or packed. */
export const integersOf = (value: bigint | Uint8Array): number[] => {
  if (typeof value === 'bigint') return [integerOf(value)];
  // Packed varints are the varints of a message without tags: put one before each.
  const numbers: number[] = [];
  let current = 0n;
  let shift = 0n;
  for (const byte of value) {
    current |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    numbers.push(Number(BigInt.asIntN(64, current)));
    current = 0n;
    shift = 0n;
  }
  if (shift !== 0n) throw damaged();
  return numbers;
};

const encodeVarint = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...encodeVarint(value >>> 7)];

/** A length-delimited field as bytes on the wire. */
export const encodeField = (number: number, content: Uint8Array): Uint8Array =>
  Buffer.concat([
    Uint8Array.from([...encodeVarint((number << 3) | 2), ...encodeVarint(content.length)]),
    content,
  ]);
