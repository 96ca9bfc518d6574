import { Invalid } from '@millrace/errors';
import { CsvEncoding, FileFormat } from '@millrace/tabular';
import { z } from 'zod';
import { contractSchema } from './contract.ts';
import { parseConfig } from './parse-config.ts';

const csvSchema = z.strictObject({
  delimiter: z.string().optional(),
  quote: z.string().optional(),
  header: z.boolean().optional(),
  encoding: z.enum(CsvEncoding).optional(),
  missing_values: z.array(z.string()).optional(),
});

const ingestSchema = z.object({
  using: z.string(),
  location: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  dataset: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'is not a name of letters, digits, ".", "_" and "-"'),
  csv: csvSchema.default({}),
  contract: contractSchema.default(contractSchema.parse({})),
});

type Parsed = Omit<z.infer<typeof ingestSchema>, 'using' | 'location'>;

/** Data that the built-in reader reads. */
export interface IngestConfig extends Parsed {
  readonly using: FileFormat;
  readonly location: readonly string[];
}

/** Data that Python reads: the keys of MLflow. */
export interface PythonIngestConfig extends Parsed {
  /** A format with a reader, or the extension of files that the loader reads; `custom` means any. */
  readonly using: string;
  readonly location: readonly string[];
  /** Whether the recipe names one location and no list. */
  readonly single: boolean;
  readonly loader_method?: string | undefined;
  /** Of a Delta table. */
  readonly version?: number | undefined;
  readonly timestamp?: string | undefined;
}

export const ingestPath = 'steps.ingest';

const formats: readonly string[] = Object.values(FileFormat);

/** Reads the step's configuration. Throws `Invalid` naming each wrong field, and for formats that have no reader. */
export const parseIngestConfig = (config: unknown, section = ingestPath): IngestConfig => {
  const { using, location, ...rest } = parseConfig(ingestSchema, config, section);
  if (!formats.includes(using)) {
    throw Invalid.field(`${section}.using`, `"${using}" has no built-in reader`, {
      hint: `Use ${formats.join(', ')}, or convert the data to one of them.`,
    });
  }
  return { ...rest, using: using as FileFormat, location: listOf(location) };
};

const pythonSchema = ingestSchema.extend({
  loader_method: z.string().optional(),
  version: z.number().int().nonnegative().optional(),
  timestamp: z.string().optional(),
});

/** Reads the configuration of a Python recipe. Throws `Invalid` naming each wrong field. */
export const parsePythonIngestConfig = (config: unknown, section: string): PythonIngestConfig => {
  const parsed = parseConfig(pythonSchema, config, section);
  return { ...parsed, location: listOf(parsed.location), single: typeof parsed.location === 'string' };
};

const listOf = (location: string | readonly string[]): readonly string[] =>
  typeof location === 'string' ? [location] : location;

/** Formats of a Python recipe that need no Python unless a function reads them. */
const builtInFormats: readonly string[] = [FileFormat.csv, FileFormat.json, FileFormat.jsonLines];

/** Whether the built-in reader reads the data of a Python recipe. */
export const isReadBuiltIn = (config: Readonly<Record<string, unknown>>): boolean =>
  config.loader_method === undefined && builtInFormats.includes(String(config.using));
