import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** Longest line handed on, most lines handed on, and how much of the end is kept for error messages. */
const longestLine = 2_000;
const mostLines = 10_000;
const keptTail = 8_192;

export interface OutputLine {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/**
 * Reads a child's output to its end in bounded memory, handing on whole lines. After `mostLines` lines it says
 * so once and drops the rest, so that a flood costs neither memory nor logs.
 */
export class OutputReader {
  readonly #name: OutputLine['stream'];
  readonly #onLine: (line: OutputLine) => void;
  readonly #decoder = new StringDecoder('utf8');
  #pending = '';
  #tail = '';
  #lines = 0;

  constructor(stream: Readable, name: OutputLine['stream'], onLine: (line: OutputLine) => void) {
    this.#name = name;
    this.#onLine = onLine;
    stream.on('data', (chunk: Buffer) => this.#take(this.#decoder.write(chunk)));
    stream.on('end', () => this.#take('\n'));
    // A killed child's pipe may break; how the child ended is told elsewhere.
    stream.on('error', () => {});
  }

  /** The last few kilobytes. */
  get tail(): string {
    return this.#tail;
  }

  #take(text: string): void {
    this.#tail = (this.#tail + text).slice(-keptTail);
    if (this.#lines > mostLines) return;
    const lines = (this.#pending + text).split('\n');
    this.#pending = (lines.pop() ?? '').slice(0, longestLine);
    for (const line of lines) this.#emit(line);
  }

  #emit(line: string): void {
    if (line === '' || this.#lines > mostLines) return;
    this.#lines += 1;
    const text =
      this.#lines > mostLines
        ? `more than ${mostLines} lines: the rest is dropped`
        : line.slice(0, longestLine);
    this.#onLine({ stream: this.#name, text });
  }
}
