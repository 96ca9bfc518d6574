import { Invalid } from '@millrace/errors';
import { durationMs } from '@millrace/recipe';
import { z } from 'zod';
import { Check, driftTests, type MonitorSettings, type Rule } from './monitor.ts';

const duration = z.union([z.string(), z.number()]).transform((written, context) => {
  const ms = durationMs(written);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: 'must be a duration such as 90s, 15m, 2h or 7d' });
  return z.NEVER;
});

const boundedChecks = new Set<Check>([
  Check.missingRate,
  Check.errorRate,
  Check.latencyP95,
  Check.performance,
]);

const ruleSchema = z
  .object({
    name: z.string().min(1).optional(),
    check: z.enum(Object.values(Check)),
    metric: z.string().min(1).optional(),
    threshold: z.number().optional(),
    severity: z.enum(['warning', 'critical']).default('warning'),
    fire_after: z.number().int().min(1).default(1),
    of_windows: z.number().int().min(1).max(100).default(1),
  })
  .superRefine((rule, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (boundedChecks.has(rule.check) && rule.threshold === undefined) {
      refuse('threshold', `is missing: ${rule.check} compares with it`);
    }
    if (rule.check === Check.performance && rule.metric === undefined) {
      refuse('metric', 'is missing: performance is measured by a metric');
    }
    if (rule.fire_after > rule.of_windows) refuse('fire_after', `must be <= of_windows (${rule.of_windows})`);
  });

const settingsSchema = z.object({
  endpoint: z.string().min(1),
  window: z
    .object({ records: z.number().int().min(1).default(500), max_age: duration.default(3_600_000) })
    .prefault({}),
  drift: z
    .object({
      features: z.array(z.string()).default([]),
      false_alarm_rate: z.number().gt(0).lt(1).default(0.01),
      min_effect: z.number().min(0).default(0.1),
      tests: z.array(z.enum(driftTests)).default([]),
    })
    .prefault({}),
  rules: z.array(ruleSchema).default([]),
  on_drift: z.enum(['retrain', 'alert']).default('alert'),
  cool_down: duration.default(24 * 3_600_000),
  rollback_on_alert: z.boolean().default(true),
});

/** What is watched when the recipe names no rules. */
const defaultRules: readonly Rule[] = [
  { name: 'feature_drift', check: Check.featureDrift, severity: 'warning', fireAfter: 1, ofWindows: 1 },
  { name: 'prediction_drift', check: Check.predictionDrift, severity: 'warning', fireAfter: 1, ofWindows: 1 },
  { name: 'data_quality', check: Check.dataQuality, severity: 'warning', fireAfter: 1, ofWindows: 1 },
  {
    name: 'error_rate',
    check: Check.errorRate,
    threshold: 0.05,
    severity: 'critical',
    fireAfter: 1,
    ofWindows: 1,
  },
];

const toRule = ({
  name,
  check,
  metric,
  threshold,
  severity,
  ...rest
}: z.output<typeof ruleSchema>): Rule => ({
  name: name ?? check,
  check,
  ...(metric === undefined ? {} : { metric }),
  ...(threshold === undefined ? {} : { threshold }),
  severity,
  fireAfter: rest.fire_after,
  ofWindows: rest.of_windows,
});

/**
 * Reads the resolved `monitor:` section of a recipe.
 * @throws Invalid naming every wrong key, as `steps.monitor.<key>`.
 */
export const readMonitorSettings = (
  config: unknown,
): { readonly endpoint: string; readonly settings: MonitorSettings } => {
  const parsed = settingsSchema.safeParse(withoutNulls(config));
  if (!parsed.success) {
    const violations = parsed.error.issues.map(({ path, message }) => ({
      path: ['steps', 'monitor', ...path].join('.'),
      message,
    }));
    const text = violations.map(({ path, message }) => `${path}: ${message}`).join('; ');
    throw new Invalid(text, { violations });
  }
  const { endpoint, window, drift, rules, on_drift, cool_down, rollback_on_alert } = parsed.data;
  const named = rules.map(toRule);
  const repeated = named.find(({ name }, i) => named.findIndex((rule) => rule.name === name) !== i);
  if (repeated !== undefined) {
    throw Invalid.field('steps.monitor.rules', `two rules are named "${repeated.name}"`);
  }
  return {
    endpoint,
    settings: {
      windowRecords: window.records,
      windowMaxAgeMs: window.max_age,
      drift: {
        falseAlarmRate: drift.false_alarm_rate,
        minEffect: drift.min_effect,
        features: drift.features,
        tests: drift.tests,
      },
      rules: named.length === 0 ? defaultRules : named,
      retrainOnDrift: on_drift === 'retrain',
      retrainCoolDownMs: cool_down,
      rollbackOnAlert: rollback_on_alert,
    },
  };
};

/** A key written without a value means its default, as everywhere in a recipe. */
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const present = Object.entries(value).filter(([, child]) => child !== null);
  return Object.fromEntries(present.map(([key, child]) => [key, withoutNulls(child)]));
};
