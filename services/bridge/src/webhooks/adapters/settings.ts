import { type Env, readEnv } from '@millrace/service-kit';
import { z } from 'zod';
import type { Rules } from '../application/ports.ts';
import { AllowList } from '../domain/address-policy.ts';
import { parseDuration, parseSchedule, standardSchedule } from '../domain/retry-schedule.ts';
import { SecretBox } from './secret-box.ts';

const whole = z.coerce.number().int();

const envSchema = z.object({
  /** Receivers that are none of the public internet: networks, addresses, host names. */
  MILLRACE_WEBHOOK_ALLOW: z.string().default(''),
  /** Milliseconds for one attempt. */
  MILLRACE_WEBHOOK_TIMEOUT_MS: whole.min(100).max(60_000).default(5_000),
  MILLRACE_WEBHOOK_RETRIES: z.string().default(standardSchedule),
  /** Attempts at once for one webhook. */
  MILLRACE_WEBHOOK_CONCURRENCY: whole.min(1).max(64).default(4),
  MILLRACE_WEBHOOK_DISABLE_AFTER: z.string().default('5d'),
  /** Deliveries of one webhook that may wait. */
  MILLRACE_WEBHOOK_BACKLOG: whole.min(1).max(1_000_000).default(10_000),
  /** How long finished deliveries are kept. */
  MILLRACE_WEBHOOK_LOG: z.string().default('14d'),
  /** How many of one webhook. */
  MILLRACE_WEBHOOK_LOG_SIZE: whole.min(1).max(1_000_000).default(10_000),
  MILLRACE_SECRETS_KEY: z.string().optional(),
});

export interface WebhookSettings {
  readonly allow: AllowList;
  readonly rules: Rules;
  readonly secrets: SecretBox;
}

/** Throws `Invalid` naming the variable. */
export const readWebhookSettings = (env: Env): WebhookSettings => {
  const read = readEnv(envSchema, env);
  return {
    allow: AllowList.parse(read.MILLRACE_WEBHOOK_ALLOW),
    secrets: new SecretBox(read.MILLRACE_SECRETS_KEY),
    rules: {
      timeoutMs: read.MILLRACE_WEBHOOK_TIMEOUT_MS,
      schedule: parseSchedule(read.MILLRACE_WEBHOOK_RETRIES, 'MILLRACE_WEBHOOK_RETRIES'),
      concurrency: read.MILLRACE_WEBHOOK_CONCURRENCY,
      disableAfterMs: parseDuration(read.MILLRACE_WEBHOOK_DISABLE_AFTER, 'MILLRACE_WEBHOOK_DISABLE_AFTER'),
      backlog: read.MILLRACE_WEBHOOK_BACKLOG,
      logMs: parseDuration(read.MILLRACE_WEBHOOK_LOG, 'MILLRACE_WEBHOOK_LOG'),
      logSize: read.MILLRACE_WEBHOOK_LOG_SIZE,
    },
  };
};
