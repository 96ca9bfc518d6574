import { Invalid } from '@millrace/errors';
import { hashText } from '@millrace/random';

/** Values outside the baseline's categories that a sketch names; the rest is only counted. */
export const maxNamedUnseen = 100;

/** Longer values are named by their beginning, so that free text cannot fill the memory. */
const maxValueLength = 256;

export interface CategoricalSketchJson {
  readonly kind: 'categorical';
  readonly categories: readonly string[];
  readonly counts: readonly number[];
  readonly outside: number;
  readonly named: Readonly<Record<string, number>>;
  readonly count: number;
  readonly missing: number;
  readonly invalid: number;
}

/**
 * What a window keeps of a categorical feature: a count per category of the baseline, the number of values
 * outside them, and the counts of up to 100 of those values (the ones of lowest hash, which makes the bounded
 * choice exact under merging: a value that survives in the whole survives in every part).
 */
export class CategoricalSketch {
  readonly kind = 'categorical';
  readonly categories: readonly string[];
  readonly counts: Float64Array;
  /** Values that are none of `categories`. */
  outside = 0;
  count = 0;
  missing = 0;
  /** Values that are present and neither text, boolean nor number. */
  invalid = 0;
  readonly #named = new Map<string, number>();
  /** A value of a higher hash can no longer be named. */
  #ceiling = 2 ** 32;
  readonly #position: ReadonlyMap<string, number>;

  constructor(categories: readonly string[]) {
    this.categories = categories;
    this.counts = new Float64Array(categories.length);
    this.#position = new Map(categories.map((category, i) => [category, i]));
  }

  /** Booleans and numbers count as their text (`"true"`, `"3"`). `null` and `undefined` are missing. */
  add(value: unknown): void {
    this.addTimes(value, 1);
  }

  /** Adds a value that came `times` times. */
  addTimes(value: unknown, times: number): void {
    if (times === 0) return;
    if (value === null || value === undefined) {
      this.missing += times;
      return;
    }
    if (typeof value !== 'string' && typeof value !== 'boolean' && typeof value !== 'number') {
      this.invalid += times;
      return;
    }
    const text = typeof value === 'string' ? value : String(value);
    this.count += times;
    const position = this.#position.get(text);
    if (position === undefined) this.#addOutside(text.slice(0, maxValueLength), times);
    else this.counts[position] = (this.counts[position] ?? 0) + times;
  }

  merge(other: CategoricalSketch): void {
    if (
      other.categories.length !== this.categories.length ||
      other.categories.some((c, i) => c !== this.categories[i])
    ) {
      throw new Invalid('sketches over different categories cannot be merged');
    }
    for (let i = 0; i < this.counts.length; i++)
      this.counts[i] = (this.counts[i] ?? 0) + (other.counts[i] ?? 0);
    this.count += other.count;
    this.missing += other.missing;
    this.invalid += other.invalid;
    const unnamed = other.outside - [...other.#named.values()].reduce((sum, n) => sum + n, 0);
    this.outside += unnamed;
    for (const [value, count] of other.#named) this.#addOutside(value, count);
  }

  /** Values outside the categories with their counts, most frequent first; at most 100. */
  unseen(): readonly { readonly value: string; readonly count: number }[] {
    return [...this.#named]
      .map(([value, count]) => ({ value, count }))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
  }

  toJSON(): CategoricalSketchJson {
    const named = [...this.#named].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      kind: this.kind,
      categories: this.categories,
      counts: [...this.counts],
      outside: this.outside,
      named: Object.fromEntries(named),
      count: this.count,
      missing: this.missing,
      invalid: this.invalid,
    };
  }

  static fromJSON(json: CategoricalSketchJson): CategoricalSketch {
    const sketch = new CategoricalSketch(json.categories);
    sketch.counts.set(json.counts);
    for (const [value, count] of Object.entries(json.named)) sketch.#named.set(value, count);
    sketch.outside = json.outside;
    sketch.count = json.count;
    sketch.missing = json.missing;
    sketch.invalid = json.invalid;
    return sketch;
  }

  #addOutside(value: string, count: number): void {
    this.outside += count;
    const known = this.#named.get(value);
    if (known === undefined && hashText(value, 0) > this.#ceiling) return;
    this.#named.set(value, (known ?? 0) + count);
    if (this.#named.size > maxNamedUnseen) this.#dropHighestHash();
  }

  #dropHighestHash(): void {
    const byHash = [...this.#named.keys()]
      .map((value) => ({ value, hash: hashText(value, 0) }))
      .sort((a, b) => a.hash - b.hash || (a.value < b.value ? -1 : 1));
    const dropped = byHash.pop();
    if (dropped !== undefined) this.#named.delete(dropped.value);
    this.#ceiling = byHash.at(-1)?.hash ?? this.#ceiling;
  }
}
