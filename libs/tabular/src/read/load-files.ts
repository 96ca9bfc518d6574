import { Invalid, MillraceError, messageOf } from '@millrace/errors';
import { supportedColumnType, toStorage } from '../column-types.ts';
import type { DuckDb } from '../duckdb.ts';
import { parquetSource } from '../parquet.ts';
import { describeSource, type Relation } from '../relation.ts';
import { quoteIdentifier, quoteText } from '../sql.ts';
import { combine, type FilePart } from './combine.ts';
import { type CsvOptions, checkCsvOptions, loadCsv } from './csv.ts';
import { readHead, type SourceFile } from './source-file.ts';

export const FileFormat = {
  csv: 'csv',
  parquet: 'parquet',
  /** One object per line. */
  jsonLines: 'jsonl',
  /** An array of objects, or one object after another. */
  json: 'json',
} as const;
export type FileFormat = (typeof FileFormat)[keyof typeof FileFormat];

export interface LoadFilesOptions {
  /** Name of the table to make. */
  readonly table: string;
  readonly format: FileFormat;
  /** Read in this order; each must have the same columns, in any order. */
  readonly files: readonly SourceFile[];
  readonly csv?: CsvOptions;
}

/**
 * Reads the files into one table of the session, with inferred types. CSV and JSON lines may be packed by gzip. NaN
 * and infinities become missing. Throws `Invalid` naming file and line or column for what cannot be read: empty,
 * ragged or wrongly encoded files, nested values, files that do not fit together.
 */
export const loadFiles = async (duck: DuckDb, options: LoadFilesOptions): Promise<Relation> => {
  const csv = options.csv ?? {};
  checkCsvOptions(csv, 'csv');
  const parts: FilePart[] = [];
  for (const [index, file] of options.files.entries()) {
    parts.push(await loaders[options.format](duck, file, `${options.table}.file${index}`, csv));
  }
  const relation = await combine(duck, options.table, parts);
  for (const index of options.files.keys()) {
    await duck.run(`DROP TABLE IF EXISTS ${quoteIdentifier(`${options.table}.file${index}`)}`);
  }
  return relation;
};

type Loader = (duck: DuckDb, file: SourceFile, staging: string, csv: CsvOptions) => Promise<FilePart>;

const loadParquet: Loader = async (duck, file) => {
  await readHead(file);
  return typedPart(duck, file, parquetSource(file.path), 'Parquet');
};

const jsonLoader =
  (layout: 'newline_delimited' | 'auto', format: string): Loader =>
  async (duck, file, staging) => {
    const { compression } = await readHead(file);
    const packing = compression === 'none' ? 'uncompressed' : compression;
    const settings = `format = '${layout}', records = 'true', sample_size = -1, compression = '${packing}'`;
    const table = quoteIdentifier(staging);
    await duck
      .run(
        `CREATE OR REPLACE TEMP TABLE ${table} AS SELECT * FROM read_json(${quoteText(file.path)}, ${settings})`,
      )
      .catch(unreadable(file, format));
    return typedPart(duck, file, table, format);
  };

const loaders: Readonly<Record<FileFormat, Loader>> = {
  csv: loadCsv,
  parquet: loadParquet,
  jsonl: jsonLoader('newline_delimited', 'JSON lines'),
  json: jsonLoader('auto', 'JSON'),
};

const typedPart = async (
  duck: DuckDb,
  file: SourceFile,
  source: string,
  format: string,
): Promise<FilePart> => {
  const described = await describeSource(duck, source).catch(unreadable(file, format));
  return {
    label: file.label,
    source,
    columns: described.map(({ name, duckType }) => {
      if (duckType === '"NULL"' || duckType === 'NULL') return { name, type: undefined, sql: 'NULL' };
      const type = supportedColumnType(duckType, name, file.label);
      return { name, type, sql: toStorage(quoteIdentifier(name), duckType, type) };
    }),
  };
};

const unreadable =
  (file: SourceFile, format: string) =>
  (error: unknown): never => {
    if (error instanceof MillraceError) throw error;
    const reason = (messageOf(error).split('\n', 1)[0] ?? '')
      .replace(/^[A-Za-z ]+ Error: /, '')
      .replaceAll(file.path, file.label);
    const line = /in line (\d+)/.exec(reason)?.[1];
    throw Invalid.field(
      line === undefined ? file.label : `${file.label}:${line}`,
      `not readable ${format}: ${reason}`,
      {
        cause: error,
        hint: `Check that the file is complete and really ${format}.`,
      },
    );
  };
