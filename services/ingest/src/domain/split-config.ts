import { Invalid } from '@millrace/errors';
import { z } from 'zod';
import { parseConfig } from './parse-config.ts';

export const LeakCheck = { off: 'off', warn: 'warn', block: 'block' } as const;
export type LeakCheck = (typeof LeakCheck)[keyof typeof LeakCheck];

const ratio = z.number().positive();

const splitSchema = z.object({
  using: z.string().default('split_ratios'),
  split_ratios: z.tuple([ratio, ratio, ratio]).default([0.75, 0.125, 0.125]),
  key_columns: z.array(z.string().min(1)).min(1).optional(),
  time_column: z.string().min(1).optional(),
  leak_check: z.enum(LeakCheck).default(LeakCheck.warn),
});

export type SplitConfig = z.infer<typeof splitSchema>;

export const splitPath = 'steps.split';

const pythonSplitSchema = splitSchema.pick({ using: true, split_ratios: true, leak_check: true }).extend({
  split_method: z.string().optional(),
  post_split_method: z.string().optional(),
  post_split_filter_method: z.string().optional(),
});

/** The keys of MLflow; rows are divided in Python. */
export type PythonSplitConfig = z.infer<typeof pythonSplitSchema>;

/** Reads the step's configuration of a Python recipe. Throws `Invalid` naming each wrong field. */
export const parsePythonSplitConfig = (config: Readonly<Record<string, unknown>>): PythonSplitConfig =>
  parseConfig(pythonSplitSchema, config, splitPath);

const codeKeys = ['split_method', 'post_split_method', 'post_split_filter_method'];

/** Reads the step's configuration. Throws `Invalid` naming each wrong field. */
export const parseSplitConfig = (config: Readonly<Record<string, unknown>>): SplitConfig => {
  const parsed = parseConfig(splitSchema, config, splitPath);
  for (const key of codeKeys) {
    if (config[key] === undefined) continue;
    throw Invalid.field(`${splitPath}.${key}`, 'split functions are not supported by the built-in runtime', {
      hint: 'Split by ratios, key_columns or time_column.',
    });
  }
  if (parsed.using !== 'split_ratios') {
    throw Invalid.field(`${splitPath}.using`, `must be split_ratios, found "${parsed.using}"`);
  }
  if (parsed.key_columns !== undefined && parsed.time_column !== undefined) {
    throw Invalid.field(`${splitPath}.time_column`, 'cannot be combined with key_columns');
  }
  return parsed;
};
