import { durationMs } from '@millrace/recipe';
import { ColumnType } from '@millrace/tabular';
import { z } from 'zod';

/** What happens to rows, or to the whole dataset, that break a rule. */
export const OnViolation = {
  /** The step fails; nothing is made. */
  block: 'block',
  /** The rows are set aside with their reasons; the others go on. */
  quarantine: 'quarantine',
  /** The finding is reported. */
  warn: 'warn',
} as const;
export type OnViolation = (typeof OnViolation)[keyof typeof OnViolation];

const rowReaction = z.enum(OnViolation);
const datasetReaction = z.enum([OnViolation.block, OnViolation.warn], {
  error: 'must be block or warn: there are no rows to set aside',
});

/** A bound with its own reaction (`{ value: 5, on_violation: warn }`), or the bound alone. */
const ruleOf = <T extends z.ZodType>(bound: T) =>
  z.preprocess(
    (rule) => (isMapping(rule) && 'value' in rule ? rule : { value: rule }),
    z.strictObject({ value: bound, on_violation: rowReaction.optional() }),
  );

const isMapping = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const scalar = z.union([z.string(), z.number(), z.boolean()], {
  error: 'must be text, a number or a boolean',
});
const limit = z.union([z.number(), z.string()], { error: 'must be a number or a time' });

const columnSchema = z.strictObject({
  type: ruleOf(z.enum(ColumnType)).optional(),
  nullable: ruleOf(z.boolean()).optional(),
  min: ruleOf(limit).optional(),
  max: ruleOf(limit).optional(),
  allowed: ruleOf(z.array(scalar).min(1)).optional(),
  /** The whole value must match it (RE2 syntax). */
  pattern: ruleOf(z.string().min(1)).optional(),
  unique: ruleOf(z.boolean()).optional(),
  /** Whether the data must have the column at all. */
  required: z.boolean().default(true),
  on_violation: rowReaction.optional(),
});

const duration = z.union([z.string(), z.number()]).transform((value, context) => {
  const milliseconds = durationMs(value);
  if (milliseconds !== undefined) return milliseconds;
  context.addIssue({ code: 'custom', message: `"${value}" is not a duration such as 36h or 30d` });
  return z.NEVER;
});

export const contractSchema = z.strictObject({
  columns: z.record(z.string(), columnSchema).default({}),
  row_count: z
    .strictObject({
      min: z.number().int().nonnegative().optional(),
      max: z.number().int().nonnegative().optional(),
      on_violation: datasetReaction.optional(),
    })
    .optional(),
  /** The newest value of the column must not be older than `max_age`. */
  freshness: z
    .strictObject({ column: z.string(), max_age: duration, on_violation: datasetReaction.optional() })
    .optional(),
  /** Conditions on rows, in the expression language; a row breaks one that is false, not one that is missing. */
  constraints: z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(/^[A-Za-z0-9_-]+$/, 'must be letters, digits, "_" and "-"')
          .optional(),
        expression: z.string(),
        on_violation: rowReaction.optional(),
      }),
    )
    .default([]),
  /** For every rule without one of its own. */
  on_violation: rowReaction.default(OnViolation.block),
});

export type Contract = z.infer<typeof contractSchema>;
export type ColumnContract = z.infer<typeof columnSchema>;

/** The rule's own reaction, else its column's, else the contract's. */
export const reactionOf = (
  rule: { readonly on_violation?: OnViolation | undefined } | undefined,
  column: ColumnContract,
  contract: Contract,
): OnViolation => rule?.on_violation ?? column.on_violation ?? contract.on_violation;

/** A reaction for the dataset as a whole: where the contract says to set rows aside, there are none. */
export const datasetReactionOf = (own: OnViolation | undefined, contract: Contract): OnViolation =>
  own ?? (contract.on_violation === OnViolation.warn ? OnViolation.warn : OnViolation.block);
