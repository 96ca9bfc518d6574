import { type Env, readEnv } from '@millrace/service-kit';
import { z } from 'zod';
import type { RetentionSettings } from '../../domain/garbage/collection.ts';

const dayMs = 24 * 3_600_000;
/** 0: for ever. */
const days = (fallback: number) => z.coerce.number().min(0).default(fallback);

const schema = z.object({
  MILLRACE_GC_GRACE_MS: z.coerce.number().int().min(1_000).default(dayMs),
  MILLRACE_GC_RECENT_EVENTS_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(7 * dayMs),
  MILLRACE_KEEP_RUNS_DAYS: days(90),
  MILLRACE_KEEP_FAILED_RUNS_DAYS: days(30),
  MILLRACE_KEEP_STEPS_DAYS: days(30),
  MILLRACE_KEEP_WINDOWS_DAYS: days(365),
  MILLRACE_KEEP_EVENTS_DAYS: days(0),
});

/** How long things are kept; see docs/configuration.md. */
export const readRetention = (env: Env): RetentionSettings => {
  const read = readEnv(schema, env);
  const periods = {
    runs: read.MILLRACE_KEEP_RUNS_DAYS,
    failed_runs: read.MILLRACE_KEEP_FAILED_RUNS_DAYS,
    steps: read.MILLRACE_KEEP_STEPS_DAYS,
    windows: read.MILLRACE_KEEP_WINDOWS_DAYS,
  };
  const limited = Object.entries(periods).filter(([, value]) => value > 0);
  return {
    graceMs: read.MILLRACE_GC_GRACE_MS,
    recentEventsMs: Math.max(read.MILLRACE_GC_RECENT_EVENTS_MS, read.MILLRACE_GC_GRACE_MS),
    periodsMs: Object.fromEntries(limited.map(([name, value]) => [name, value * dayMs])),
    ...(read.MILLRACE_KEEP_EVENTS_DAYS === 0 ? {} : { eventsMs: read.MILLRACE_KEEP_EVENTS_DAYS * dayMs }),
  };
};
