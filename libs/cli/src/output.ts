import type { MillraceError } from '@millrace/errors';
import { errorToJson } from '@millrace/errors';
import Table from 'cli-table3';
import pc from 'picocolors';

/** Control characters in data could move the cursor or change colours: they are shown, not obeyed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Text from outside, safe to print on a terminal. */
export const plain = (text: string): string =>
  text.replace(controls, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** Where a command prints: for a person, or as one JSON document on standard output. */
export class Output {
  readonly json: boolean;
  readonly #told: boolean;

  /** `told`: what happens meanwhile goes to standard error even with `json`. */
  constructor(json: boolean, told = false) {
    this.json = json;
    this.#told = !json || told;
  }

  /** Whether anybody reads what happens meanwhile. */
  get told(): boolean {
    return this.#told;
  }

  /** The command's result: the data as JSON, or what `show` prints of it. */
  result<T>(data: T, show: (data: T) => void): void {
    if (this.json) this.write(JSON.stringify(data ?? null, null, 2));
    else show(data);
  }

  /** One line of a stream: JSON lines, or what `show` makes of it. */
  line<T>(data: T, show: (data: T) => string): void {
    this.write(this.json ? JSON.stringify(data) : show(data));
  }

  write(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** Something worth telling that is not the result; silent with `--json` alone. */
  note(text: string): void {
    if (this.#told) process.stderr.write(`${text}\n`);
  }

  /** A line of what happens meanwhile: beside the result for a person, out of its way for a program. */
  happening(text: string): void {
    if (this.json) this.note(text);
    else this.write(text);
  }

  table(head: readonly string[], rows: readonly (readonly string[])[], empty: string): void {
    if (rows.length === 0) {
      this.write(pc.dim(empty));
      return;
    }
    const table = new Table({
      head: head.map((text) => pc.bold(text)),
      style: { head: [], border: [], compact: true },
      chars: borderless,
    });
    for (const row of rows) table.push(row.map(plain));
    this.write(table.toString());
  }

  error(error: MillraceError): void {
    if (this.json) {
      process.stderr.write(`${JSON.stringify({ error: errorToJson(error) })}\n`);
      return;
    }
    process.stderr.write(`${pc.red('error')} ${plain(error.message)}\n`);
    // A single violation is the message already.
    if (error.violations.length > 1) {
      for (const { path, message } of error.violations)
        process.stderr.write(`  ${plain(`${path}: ${message}`)}\n`);
    }
    // The way to it through the user's own code.
    const { stack } = error.details;
    if (stack !== undefined) process.stderr.write(`${pc.dim(indented(stack))}\n`);
    if (error.hint !== undefined) process.stderr.write(`${pc.dim(plain(error.hint))}\n`);
  }
}

const indented = (text: string): string =>
  text
    .split('\n')
    .map((line) => `  ${plain(line)}`)
    .join('\n');

const borderless = Object.fromEntries(
  'top,top-mid,top-left,top-right,bottom,bottom-mid,bottom-left,bottom-right,left,left-mid,mid,mid-mid,right,right-mid'
    .split(',')
    .map((name) => [name, '']),
);
