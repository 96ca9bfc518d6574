import { Invalid } from '@millrace/errors';
import { z } from 'zod';
import { type Gate, type JudgedOn, worstSlice } from './gate.ts';
import type { KnownMetric, MetricCatalog } from './metric-catalog.ts';

/** Rows that a slice needs to be judged, unless the recipe says otherwise. */
export const defaultMinSupport = 30;

/** A part of the test split: the rows that meet a condition, or one part per value of a column. */
export type SliceDefinition =
  | {
      readonly kind: 'condition';
      readonly path: string;
      readonly name: string;
      readonly where: string;
      readonly minSupport: number;
    }
  | { readonly kind: 'column'; readonly path: string; readonly column: string; readonly minSupport: number };

/** What `steps.evaluate` of a recipe asks for, checked. */
export interface EvaluationPlan {
  readonly gates: readonly Gate[];
  readonly slices: readonly SliceDefinition[];
}

const root = 'steps.evaluate';

const criterionSchema = z.strictObject({
  metric: z.string().min(1),
  threshold: z.number().optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  on: z.enum(['value', 'ci_bound']).optional(),
  slice: z.string().min(1).optional(),
  compare: z.literal('champion').optional(),
  max_regression: z.number().min(0).optional(),
  min_improvement: z.number().min(0).optional(),
  /** Judge the difference by its paired interval; the same as `on: ci_bound`. */
  paired: z.boolean().optional(),
});
type Criterion = z.infer<typeof criterionSchema>;

const supportSchema = z.number().int().min(1).default(defaultMinSupport);

const sliceSchema = z.union([
  z.string().min(1),
  z.strictObject({ name: z.string().min(1), where: z.string().min(1), min_support: supportSchema }),
]);

const configSchema = z.object({
  validation_criteria: z.array(criterionSchema).nullish(),
  slices: z.array(sliceSchema).nullish(),
});

/**
 * Reads the step's configuration.
 * @throws Invalid naming the path in the recipe: an unknown metric, a criterion without a bound or with bounds
 * that do not go together, two slices of one name, a criterion on a slice that is not defined.
 */
export const planOf = (config: unknown, metrics: MetricCatalog): EvaluationPlan => {
  const parsed = configSchema.safeParse(config ?? {});
  if (!parsed.success) throw configError(parsed.error);
  const slices = (parsed.data.slices ?? []).map(sliceDefinition);
  requireDistinct(slices);
  const gates = (parsed.data.validation_criteria ?? []).flatMap((criterion, index) =>
    gatesOf(criterion, `${root}.validation_criteria[${index}]`, metrics),
  );
  for (const gate of gates) requireSlice(gate, slices);
  return { gates, slices };
};

const configError = (error: z.ZodError): Invalid => {
  const violations = error.issues.map(({ path, message }) => ({
    path: path.reduce<string>(
      (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${String(part)}`),
      root,
    ),
    message,
  }));
  return new Invalid(violations.map(({ path, message }) => `${path}: ${message}`).join('; '), { violations });
};

const sliceDefinition = (slice: z.infer<typeof sliceSchema>, index: number): SliceDefinition => {
  const path = `${root}.slices[${index}]`;
  if (typeof slice === 'string')
    return { kind: 'column', path, column: slice, minSupport: defaultMinSupport };
  const { name, where, min_support: minSupport } = slice;
  return { kind: 'condition', path, name, where, minSupport };
};

const sliceName = (slice: SliceDefinition): string => (slice.kind === 'column' ? slice.column : slice.name);

const requireDistinct = (slices: readonly SliceDefinition[]) => {
  const seen = new Set<string>();
  for (const slice of slices) {
    const name = sliceName(slice);
    if (name === worstSlice)
      throw Invalid.field(slice.path, `"${worstSlice}" means the worst slice; choose another name`);
    if (seen.has(name)) throw Invalid.field(slice.path, `there are two slices named "${name}"`);
    seen.add(name);
  }
};

const gatesOf = (criterion: Criterion, path: string, metrics: MetricCatalog): readonly Gate[] => {
  const metric = metrics.find(criterion.metric);
  if (metric === undefined) {
    throw Invalid.field(`${path}.metric`, `"${criterion.metric}" is not a metric of this task`, {
      hint: `The metrics are: ${metrics.names().join(', ')}.`,
    });
  }
  return criterion.compare === undefined
    ? boundGates(criterion, path, metric)
    : [championGate(criterion, path, metric)];
};

const boundGates = (criterion: Criterion, path: string, metric: KnownMetric): readonly Gate[] => {
  const { threshold, min, max, max_regression, min_improvement, paired } = criterion;
  if (max_regression !== undefined || min_improvement !== undefined || paired !== undefined) {
    throw Invalid.field(path, 'max_regression, min_improvement and paired need `compare: champion`');
  }
  if (threshold !== undefined && (min !== undefined || max !== undefined)) {
    throw Invalid.field(path, 'give either threshold, or min and max');
  }
  if (threshold === undefined && min === undefined && max === undefined) {
    throw Invalid.field(path, 'needs a bound: threshold, min, max, or compare');
  }
  const on = criterion.on ?? 'value';
  const slice = criterion.slice ?? '';
  requireInterval(metric, on, path);
  if (slice !== '' && metric.custom) {
    throw Invalid.field(`${path}.slice`, `"${metric.name}" is computed by the project, on all rows only`);
  }
  if (slice === worstSlice && metric.greaterIsBetter === undefined) {
    throw Invalid.field(`${path}.slice`, `"${metric.name}" has no better or worse`);
  }
  const gate = (bound: 'min' | 'max', limit: number): Gate => ({
    kind: 'bound',
    path,
    metric: metric.name,
    greaterIsBetter: metric.greaterIsBetter,
    bound,
    limit,
    on,
    slice,
  });
  if (threshold !== undefined) return [gate(ownBound(metric, path), threshold)];
  return [...(min === undefined ? [] : [gate('min', min)]), ...(max === undefined ? [] : [gate('max', max)])];
};

const ownBound = ({ name, greaterIsBetter }: KnownMetric, path: string): 'min' | 'max' => {
  if (greaterIsBetter === undefined) {
    throw Invalid.field(`${path}.threshold`, `"${name}" has no better or worse; use min or max`);
  }
  return greaterIsBetter ? 'min' : 'max';
};

const championGate = (criterion: Criterion, path: string, metric: KnownMetric): Gate => {
  const { threshold, min, max, slice, max_regression, min_improvement, paired } = criterion;
  if (threshold !== undefined || min !== undefined || max !== undefined) {
    throw Invalid.field(path, 'with `compare: champion`, give max_regression or min_improvement');
  }
  if ((max_regression === undefined) === (min_improvement === undefined)) {
    throw Invalid.field(path, 'give exactly one of max_regression and min_improvement');
  }
  if (slice !== undefined) throw Invalid.field(`${path}.slice`, 'the champion is compared on all rows only');
  if (metric.greaterIsBetter === undefined) {
    throw Invalid.field(`${path}.metric`, `"${metric.name}" has no better or worse`);
  }
  const on = paired === true ? 'ci_bound' : (criterion.on ?? 'value');
  requireInterval(metric, on, path);
  return {
    kind: 'champion',
    path,
    metric: metric.name,
    greaterIsBetter: metric.greaterIsBetter,
    rule: max_regression === undefined ? 'min_improvement' : 'max_regression',
    limit: max_regression ?? min_improvement ?? 0,
    on,
  };
};

const requireInterval = (metric: KnownMetric, on: JudgedOn, path: string) => {
  if (on === 'ci_bound' && metric.custom) {
    throw Invalid.field(`${path}.on`, `"${metric.name}" is computed by the project and has no interval`);
  }
};

/** Slices by the values of a column are known only with the data; their names begin with the column's. */
const requireSlice = (gate: Gate, slices: readonly SliceDefinition[]) => {
  if (gate.kind !== 'bound' || gate.slice === '') return;
  const { slice, path } = gate;
  if (slice === worstSlice) {
    if (slices.length > 0) return;
    throw Invalid.field(`${path}.slice`, 'there are no slices', {
      hint: 'Define some under steps.evaluate.slices.',
    });
  }
  const defined = slices.some((candidate) =>
    candidate.kind === 'column' ? slice.startsWith(`${candidate.column}=`) : candidate.name === slice,
  );
  if (defined) return;
  throw Invalid.field(`${path}.slice`, `there is no slice "${slice}"`, {
    hint: `The slices are: ${slices.map(sliceName).join(', ')}. One value of a column is named \`column=value\`.`,
  });
};
