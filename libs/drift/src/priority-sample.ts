import { Invalid } from '@millrace/errors';
import { decodeFloat64, decodeUint32, encodeTyped } from './typed-json.ts';

/** More than samples usually hold; a position below it and 32 bits of priority make a whole number of 53 bits. */
const positions = 2 ** 21;

/** A `PrioritySample` in JSON: both arrays as base64 of their little-endian bytes. */
export interface PrioritySampleJson {
  readonly capacity: number;
  readonly priorities: string;
  readonly values: string;
}

/**
 * A bounded uniform sample without replacement: the `capacity` values of lowest priority (bottom-k sampling,
 * E. Cohen & H. Kaplan, PODC 2007). Merging keeps the lowest of both, hence is associative, commutative and exact.
 */
export class PrioritySample {
  readonly capacity: number;
  #size = 0;
  #priorities: Uint32Array;
  #values: Float64Array;
  /** Nothing was added since it was put into order. */
  #isSorted = false;
  /** Entries of a priority above this one can no longer enter. */
  #ceiling = 2 ** 32;

  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw Invalid.field('capacity', `must be a whole number above 0, got ${capacity}`);
    }
    this.capacity = capacity;
    this.#priorities = new Uint32Array(16);
    this.#values = new Float64Array(16);
  }

  add(value: number, priority: number): void {
    if (priority > this.#ceiling) return;
    if (this.#size === this.#values.length) this.#makeRoom();
    this.#priorities[this.#size] = priority;
    this.#values[this.#size] = value;
    this.#size++;
    this.#isSorted = false;
  }

  merge(other: PrioritySample): void {
    if (other.capacity !== this.capacity) {
      throw new Invalid(`samples of capacity ${this.capacity} and ${other.capacity} cannot be merged`);
    }
    for (let i = 0; i < other.#size; i++) this.add(other.#values[i] ?? 0, other.#priorities[i] ?? 0);
  }

  /** The sampled values, ascending. */
  sorted(): Float64Array {
    this.#compact();
    return this.#values.slice(0, this.#size).sort();
  }

  /** The sampled values with their priorities, in order of priority. */
  entries(): { readonly value: number; readonly priority: number }[] {
    this.#sort();
    return Array.from({ length: this.#size }, (_, i) => ({
      value: this.#values[i] ?? 0,
      priority: this.#priorities[i] ?? 0,
    }));
  }

  toJSON(): PrioritySampleJson {
    this.#sort();
    return {
      capacity: this.capacity,
      priorities: encodeTyped(this.#priorities.subarray(0, this.#size)),
      values: encodeTyped(this.#values.subarray(0, this.#size)),
    };
  }

  static fromJSON(json: PrioritySampleJson): PrioritySample {
    const sample = new PrioritySample(json.capacity);
    sample.#priorities = decodeUint32(json.priorities);
    sample.#values = decodeFloat64(json.values);
    sample.#size = sample.#values.length;
    return sample;
  }

  #makeRoom(): void {
    if (this.#size >= 2 * this.capacity) {
      this.#compact();
      if (this.#size < this.#values.length) return;
    }
    const length = Math.min(Math.max(16, 2 * this.#values.length), 2 * this.capacity);
    const [priorities, values] = [new Uint32Array(length), new Float64Array(length)];
    priorities.set(this.#priorities);
    values.set(this.#values);
    this.#priorities = priorities;
    this.#values = values;
  }

  #compact(): void {
    if (this.#size > this.capacity) this.#sort();
  }

  /** Orders by priority, ties by value, and drops what exceeds the capacity. */
  #sort(): void {
    if (this.#isSorted) return;
    const [priorities, values] = [this.#priorities, this.#values];
    const kept = this.#order().subarray(0, this.capacity);
    const [nextPriorities, nextValues] = [
      new Uint32Array(this.#priorities.length),
      new Float64Array(this.#values.length),
    ];
    for (let i = 0; i < kept.length; i++) {
      nextPriorities[i] = priorities[kept[i] ?? 0] ?? 0;
      nextValues[i] = values[kept[i] ?? 0] ?? 0;
    }
    this.#priorities = nextPriorities;
    this.#values = nextValues;
    this.#size = kept.length;
    this.#isSorted = true;
    if (this.#size === this.capacity) this.#ceiling = nextPriorities[this.#size - 1] ?? this.#ceiling;
  }

  /** Positions by priority, ties by value. */
  #order(): Uint32Array {
    const size = this.#size;
    const [priorities, values] = [this.#priorities, this.#values];
    if (size <= positions) {
      // Priority and position in one number: sorting numbers is many times faster than asking a function.
      const keys = new Float64Array(size);
      for (let i = 0; i < size; i++) keys[i] = (priorities[i] ?? 0) * positions + i;
      keys.sort();
      const order = new Uint32Array(size);
      for (let i = 0; i < size; i++) order[i] = (keys[i] ?? 0) % positions;
      const isTied = order.some((at, i) => i > 0 && priorities[at] === priorities[order[i - 1] ?? 0]);
      if (!isTied) return order;
    }
    return Uint32Array.from({ length: size }, (_, i) => i).sort(
      (a, b) => (priorities[a] ?? 0) - (priorities[b] ?? 0) || (values[a] ?? 0) - (values[b] ?? 0),
    );
  }
}
