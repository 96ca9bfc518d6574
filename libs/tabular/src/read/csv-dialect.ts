import { Invalid } from '@millrace/errors';

export interface CsvDialect {
  readonly delimiter: string;
  readonly quote: string;
}

const delimiters = [',', ';', '\t', '|'] as const;

/**
 * Finds delimiter and quote from the beginning of a file: the delimiter that divides most records into as many
 * fields as the first one, more fields winning ties. One column alone needs none.
 */
export const sniffDialect = (head: string, given: Partial<CsvDialect> = {}): CsvDialect => {
  const quotes = given.quote === undefined ? ['"', "'"] : [given.quote];
  const candidates = (given.delimiter === undefined ? delimiters : [given.delimiter]).flatMap((delimiter) =>
    quotes.map((quote) => ({ delimiter, quote })),
  );
  const scored = candidates.map((dialect) => ({ dialect, score: scoreOf(head, dialect) }));
  const best = scored.reduce((leader, one) => (isBetter(one.score, leader.score) ? one : leader));
  return best.dialect;
};

interface Score {
  readonly consistent: number;
  readonly fields: number;
  /** Fields in quotes: what tells one quote from another. */
  readonly quoted: number;
}

const isBetter = (one: Score, other: Score): boolean => {
  const divides = Number(one.fields > 1) - Number(other.fields > 1);
  if (divides !== 0) return divides > 0;
  if (one.consistent !== other.consistent) return one.consistent > other.consistent;
  if (one.fields !== other.fields) return one.fields > other.fields;
  return one.quoted > other.quoted;
};

const scoreOf = (head: string, dialect: CsvDialect): Score => {
  const records = splitRecords(head, dialect, 200);
  const fields = records[0]?.length ?? 0;
  const consistent =
    records.filter((record) => record.length === fields).length / Math.max(records.length, 1);
  const pattern = new RegExp(`${escaped(dialect.quote)}(?=${escaped(dialect.delimiter)}|\\r?\\n|$)`, 'g');
  return { consistent, fields, quoted: head.match(pattern)?.length ?? 0 };
};

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Splits the beginning of a file into records of fields, up to `limit` records. Empty lines are left out. */
export const splitRecords = (text: string, { delimiter, quote }: CsvDialect, limit: number): string[][] => {
  const records: string[][] = [];
  let record: string[] = [];
  let field = '';
  let quoted = false;
  let opened = false;

  const endField = () => {
    record.push(field);
    field = '';
    opened = false;
  };
  const endRecord = () => {
    endField();
    if (record.length > 1 || record[0] !== '') records.push(record);
    record = [];
  };

  for (let index = 0; index < text.length && records.length < limit; index++) {
    const character = text.charAt(index);
    if (quoted) {
      if (character !== quote) field += character;
      else if (text.charAt(index + 1) === quote) field += text.charAt(++index);
      else quoted = false;
    } else if (character === quote && field === '' && !opened) {
      quoted = true;
      opened = true;
    } else if (character === delimiter) endField();
    else if (character === '\n') endRecord();
    else if (character !== '\r') field += character;
  }
  if (records.length < limit && (field !== '' || record.length > 0)) endRecord();
  return records;
};

/**
 * Column names from a header record: trimmed, nameless ones numbered (`column_1`), as spreadsheets and data frames
 * write them. Throws `Invalid` on two names that differ in letter case only.
 */
export const columnNames = (header: readonly string[], label: string): string[] => {
  const names = header.map((name, index) => name.trim() || `column_${index + 1}`);
  requireDistinct(names, label);
  return names;
};

/** Throws `Invalid` naming the file when two column names are the same but for letter case. */
export const requireDistinct = (names: readonly string[], label: string): void => {
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      const pair =
        other === name ? `"${name}" appears twice` : `"${other}" and "${name}" differ only in case`;
      throw Invalid.field(label, `column ${pair}`, { hint: 'Give each column a name of its own.' });
    }
    seen.set(name.toLowerCase(), name);
  }
};
