interface Segment {
  readonly rendered: number;
  readonly source: number;
  /** Text copied as it was: offsets inside it correspond one to one. */
  readonly verbatim: boolean;
}

/** Collects rendered text and remembers from where in the template each piece came. */
export class MappedText {
  readonly #pieces: string[] = [];
  readonly #segments: Segment[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get text(): string {
    return this.#pieces.join('');
  }

  add(text: string, source: number, verbatim: boolean): void {
    this.#segments.push({ rendered: this.#length, source, verbatim });
    this.#pieces.push(text);
    this.#length += text.length;
  }

  /** The offset in the template from which the rendered text at `offset` came. */
  sourceOffset(offset: number): number {
    const segment = this.#segments.findLast((candidate) => candidate.rendered <= offset);
    if (segment === undefined) return 0;
    return segment.verbatim ? segment.source + (offset - segment.rendered) : segment.source;
  }
}
