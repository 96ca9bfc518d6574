import { createReadStream } from 'node:fs';
import { Invalid, MillraceError, messageOf, type Violation } from '@millrace/errors';
import type { DuckDb, SqlRow } from '../duckdb.ts';
import { quoteIdentifier, quoteText } from '../sql.ts';
import type { FilePart } from './combine.ts';
import { type CsvDialect, columnNames, sniffDialect, splitRecords } from './csv-dialect.ts';
import { type FileHead, readHead, type SourceFile } from './source-file.ts';
import { inferTextColumns } from './text-columns.ts';

export const CsvEncoding = { utf8: 'utf-8', utf16: 'utf-16', latin1: 'latin-1' } as const;
export type CsvEncoding = (typeof CsvEncoding)[keyof typeof CsvEncoding];

export interface CsvOptions {
  /** One character; default found from the file. */
  readonly delimiter?: string;
  /** One character; default found from the file. */
  readonly quote?: string;
  /** Whether the first line names the columns (default); else they are `column_1`, `column_2` … */
  readonly header?: boolean;
  /** Default UTF-8, or UTF-16 where the file begins with its mark. */
  readonly encoding?: CsvEncoding;
  /** Fields that stand for a missing value, quoted or not; default `defaultMissingValues`. */
  readonly missingValues?: readonly string[];
  /** Columns that stay text whatever they look like (postal codes, identifiers). */
  readonly textColumns?: readonly string[];
}

/** What pandas reads as missing. */
export const defaultMissingValues: readonly string[] = [
  ...['', 'NA', 'N/A', 'n/a', '<NA>', '#N/A', '#N/A N/A', '#NA', 'NULL', 'null', 'None'],
  ...['NaN', 'nan', '-NaN', '-nan', '1.#IND', '-1.#IND', '1.#QNAN', '-1.#QNAN'],
];

const rejectLimit = 10;

/** Loads a CSV file as text into the session, checks that all its rows have the same fields, and finds its types. */
export const loadCsv = async (
  duck: DuckDb,
  file: SourceFile,
  staging: string,
  options: CsvOptions,
): Promise<FilePart> => {
  const head = await readHead(file);
  const encoding = options.encoding ?? encodingOf(head.bytes, file.label);
  const text = decode(head, encoding, file.label);
  const dialect = sniffDialect(text, options);
  const [first] = splitRecords(text, dialect, 1);
  if (first === undefined) throw Invalid.field(file.label, 'the file holds only empty lines');
  const header = options.header ?? true;
  const names = columnNames(header ? first : first.map(() => ''), file.label);
  const table = quoteIdentifier(staging);
  const source = csvSource(file, dialect, { names, header, encoding, head });
  await duck
    .run(`CREATE OR REPLACE TEMP TABLE ${table} AS SELECT ${present(names, options)} FROM ${source}`)
    .catch((error: unknown) => {
      if (error instanceof MillraceError) throw error;
      throw Invalid.field(file.label, `the file is not readable CSV: ${summary(messageOf(error))}`, {
        cause: error,
      });
    });
  await refuseRejects(duck, file, head, encoding, dialect);
  return { label: file.label, source: table, columns: await inferTextColumns(duck, table, names, options) };
};

interface CsvPlan {
  readonly names: readonly string[];
  readonly header: boolean;
  readonly encoding: CsvEncoding;
  readonly head: FileHead;
}

/** The columns, with what stands for a missing value left out. */
const present = (names: readonly string[], { missingValues = defaultMissingValues }: CsvOptions): string => {
  if (missingValues.length === 0) return '*';
  const missing = missingValues.map(quoteText).join(', ');
  return names
    .map(quoteIdentifier)
    .map((column) => `CASE WHEN ${column} NOT IN (${missing}) THEN ${column} END AS ${column}`)
    .join(', ');
};

/**
 * DuckDB lets a field too many pass when it begins a text that stands for a missing value (`1` and `1.#IND`), so it
 * is given only one that no text holds.
 */
const noText = '\uffff';

// Nothing is left to DuckDB's own detection: on ragged files it skips the rows that do not fit its guess.
const csvSource = (file: SourceFile, dialect: CsvDialect, plan: CsvPlan): string => {
  const columns = plan.names.map((name) => `${quoteText(name)}: 'VARCHAR'`).join(', ');
  const settings = [
    'auto_detect = false',
    'skip = 0',
    'strict_mode = true',
    'null_padding = false',
    'store_rejects = true',
    `rejects_limit = ${rejectLimit}`,
    `header = ${plan.header}`,
    `delim = ${quoteText(dialect.delimiter)}`,
    `quote = ${quoteText(dialect.quote)}`,
    `escape = ${quoteText(dialect.quote)}`,
    `encoding = ${quoteText(plan.encoding)}`,
    `compression = ${quoteText(plan.head.compression)}`,
    `nullstr = ${quoteText(noText)}`,
    `columns = {${columns}}`,
  ];
  return `read_csv(${quoteText(file.path)}, ${settings.join(', ')})`;
};

const encodingOf = (bytes: Buffer, label: string): CsvEncoding => {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return CsvEncoding.utf16;
  if (bytes[0] === 0xfe && bytes[1] === 0xff) {
    throw Invalid.field(label, 'the encoding UTF-16 big-endian is not supported', {
      hint: 'Convert the file to UTF-8.',
    });
  }
  return CsvEncoding.utf8;
};

const decode = (head: FileHead, encoding: CsvEncoding, label: string): string => {
  if (encoding === CsvEncoding.latin1) return head.bytes.toString('latin1');
  const decoder = new TextDecoder(encoding === CsvEncoding.utf16 ? 'utf-16le' : 'utf-8', { fatal: true });
  try {
    // `stream`: the head may end inside a character.
    return decoder.decode(head.bytes, { stream: !head.whole });
  } catch (error) {
    throw notEncoded(label, encoding, error);
  }
};

const notEncoded = (label: string, encoding: CsvEncoding, cause?: unknown): Invalid =>
  Invalid.field(label, `the file is not ${encoding.toUpperCase()} text`, {
    cause,
    hint: 'Set `encoding` to latin-1 or utf-16, or convert the file to UTF-8.',
  });

/** Rows that DuckDB could not divide into the columns fail the whole file, each named by its line. */
const refuseRejects = async (
  duck: DuckDb,
  file: SourceFile,
  head: FileHead,
  encoding: CsvEncoding,
  dialect: CsvDialect,
): Promise<void> => {
  const rejects = await duck.rows('SELECT * FROM reject_errors ORDER BY line, column_idx');
  if (rejects.length === 0) return;
  await duck.run('DELETE FROM reject_errors');
  if (rejects.some(({ error_type: type }) => type === 'INVALID ENCODING'))
    throw notEncoded(file.label, encoding);
  const seekable = head.compression === 'none' && encoding !== CsvEncoding.utf16;
  const violations: Violation[] = [];
  for (const record of Map.groupBy(rejects, ({ line }) => String(line)).values()) {
    const [reject] = record;
    if (reject === undefined) continue;
    const line = seekable ? await lineOf(file.path, reject) : Number(reject.line);
    violations.push({ path: `${file.label}:${line}`, message: faultOf(reject, record.length) });
  }
  const [first] = violations;
  const others = violations.length - 1;
  const atLimit = rejects.length >= rejectLimit;
  const more = others > 0 ? ` (and ${others}${atLimit ? ' or' : ''} more)` : '';
  throw new Invalid(`${first?.path}: ${first?.message}${more}`, {
    violations,
    hint: `Fix the lines, or set \`delimiter\` and \`quote\` if ${describeDialect(dialect)} is wrong.`,
  });
};

const describeDialect = ({ delimiter, quote }: CsvDialect): string =>
  `${delimiter === '\t' ? 'tab' : `"${delimiter}"`} between fields quoted by ${quote}`;

/** DuckDB rejects a record once per field that is missing or too many: the first says how many there are, or at least. */
const faultOf = (reject: SqlRow, rejectsOfRecord: number): string => {
  const message = String(reject.error_message);
  const counts = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message);
  if (counts !== null) {
    const [expected, found] = [Number(counts[1]), Number(counts[2])];
    const least = rejectsOfRecord > 1 && found > expected ? ' or more' : '';
    return `expected ${expected} fields, found ${found}${least}`;
  }
  if (reject.error_type === 'UNQUOTED VALUE') return 'a quoted field does not end where it should';
  return summary(message);
};

const summary = (message: string): string =>
  (message.split('\n', 1)[0] ?? '').replace(/^(Invalid Input|IO) Error: /, '');

/** The physical line of a rejected record; DuckDB counts records, and a quoted field may hold line ends. */
const lineOf = async (path: string, reject: SqlRow): Promise<number> => {
  // A record after an empty line begins, for DuckDB, with that line's end.
  const text = String(reject.csv_line ?? '');
  const emptyLines = /^[\r\n]*/.exec(text)?.[0].length ?? 0;
  const offset = Number(reject.line_byte_position) - 1 + emptyLines;
  if (offset <= 0) return 1;
  let line = 1;
  for await (const chunk of createReadStream(path, { end: offset - 1 }) as AsyncIterable<Buffer>) {
    for (const byte of chunk) if (byte === 0x0a) line++;
  }
  return line;
};

/** Delimiter and quote must be one character each, and different. */
export const checkCsvOptions = (options: CsvOptions, path: string): void => {
  for (const key of ['delimiter', 'quote'] as const) {
    const value = options[key];
    if (value === undefined || (value.length === 1 && value !== '\n' && value !== '\r')) continue;
    throw Invalid.field(`${path}.${key}`, `must be one character, found ${JSON.stringify(value)}`);
  }
  if (options.delimiter !== undefined && options.delimiter === options.quote) {
    throw Invalid.field(`${path}.quote`, 'must differ from the delimiter');
  }
};
