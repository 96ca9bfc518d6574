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

export type IngestConfig = Omit<z.infer<typeof ingestSchema>, 'using' | 'location'> & {
  readonly using: FileFormat;
  readonly location: readonly string[];
};

export const ingestPath = 'steps.ingest';

const formats: readonly string[] = Object.values(FileFormat);

/** Reads the step's configuration. Throws `Invalid` naming each wrong field, and for formats that have no reader. */
export const parseIngestConfig = (config: unknown): IngestConfig => {
  const { using, location, ...rest } = parseConfig(ingestSchema, config, ingestPath);
  if (!formats.includes(using)) {
    throw Invalid.field(`${ingestPath}.using`, `"${using}" has no built-in reader`, {
      hint: `Use ${formats.join(', ')}, or convert the data to one of them.`,
    });
  }
  return {
    ...rest,
    using: using as FileFormat,
    location: typeof location === 'string' ? [location] : location,
  };
};
