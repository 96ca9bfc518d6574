import type { Webhook, WebhookFilter, WebhookState } from '@millrace/contracts/bridge';
import { shownUrl } from './receiver.ts';

/** A secret as it is stored; see `SecretBox`. */
export interface StoredSecret {
  readonly sealed: string;
  /** ISO 8601; absent for the current one. */
  readonly until?: string;
}

/** A webhook as it is stored. Times are ISO 8601, UTC. */
export interface StoredWebhook {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  readonly filter: WebhookFilter;
  readonly unordered: boolean;
  readonly active: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Newest first. */
  readonly secrets: readonly StoredSecret[];
  readonly consecutiveFailures: number;
  /** The first of the attempts that failed since the last that succeeded. */
  readonly failingSince?: string;
  readonly lastSucceededAt?: string;
  /** Set while the bridge has switched it off. */
  readonly disabled?: { readonly at: string; readonly reason: string };
}

/** Secrets that sign at the same time, so that a header stays of a bounded size. */
const maxSecrets = 3;

const iso = (ms: number): string => new Date(ms).toISOString();

export const stateOf = ({ active, disabled }: StoredWebhook): WebhookState => {
  if (disabled !== undefined) return 'WEBHOOK_STATE_DISABLED';
  return active ? 'WEBHOOK_STATE_ACTIVE' : 'WEBHOOK_STATE_PAUSED';
};

export const isDelivered = (webhook: StoredWebhook): boolean => stateOf(webhook) === 'WEBHOOK_STATE_ACTIVE';

/** Secrets that sign now, newest first. */
export const validSecrets = (webhook: StoredWebhook, now: number): readonly StoredSecret[] =>
  webhook.secrets.filter(({ until }) => until === undefined || Date.parse(until) > now);

/** With a new secret, while the one before it stays valid for a time. */
export const withNewSecret = (
  webhook: StoredWebhook,
  sealed: string,
  overlapMs: number,
  now: number,
): StoredWebhook => {
  const until = iso(now + overlapMs);
  const old = validSecrets(webhook, now).map((secret) => ({
    sealed: secret.sealed,
    until: secret.until !== undefined && secret.until < until ? secret.until : until,
  }));
  return {
    ...webhook,
    secrets: [{ sealed }, ...(overlapMs > 0 ? old : [])].slice(0, maxSecrets),
    updatedAt: iso(now),
  };
};

/** How often at most a webhook that works is written only to note that it does, milliseconds. */
const noteSuccessEveryMs = 60_000;

/** After a delivery succeeded; undefined when there is nothing new to note. */
export const withSuccess = (webhook: StoredWebhook, now: number): StoredWebhook | undefined => {
  const { failingSince, lastSucceededAt } = webhook;
  const noted = lastSucceededAt !== undefined && now - Date.parse(lastSucceededAt) < noteSuccessEveryMs;
  if (noted && failingSince === undefined) return undefined;
  const { failingSince: _, ...rest } = webhook;
  return { ...rest, consecutiveFailures: 0, lastSucceededAt: iso(now) };
};

/** Switched off by the bridge; undefined when it is already. */
export const disabledFor = (
  webhook: StoredWebhook,
  reason: string,
  now: number,
): StoredWebhook | undefined => {
  if (webhook.disabled !== undefined) return undefined;
  return { ...webhook, disabled: { at: iso(now), reason }, updatedAt: iso(now) };
};

export interface FailureRules {
  /** Milliseconds without one success after which a webhook is switched off. */
  readonly disableAfterMs: number;
}

/** After an attempt failed: counted, or switched off when it failed for too long or the receiver is gone. */
export const withFailure = (
  webhook: StoredWebhook,
  { statusCode, error }: { readonly statusCode: number; readonly error: string },
  { disableAfterMs }: FailureRules,
  now: number,
): StoredWebhook => {
  const counted: StoredWebhook = {
    ...webhook,
    consecutiveFailures: webhook.consecutiveFailures + 1,
    failingSince: webhook.failingSince ?? iso(now),
  };
  if (statusCode === 410) return disabledFor(counted, 'the receiver answered 410 Gone', now) ?? counted;
  const since = Date.parse(counted.failingSince ?? iso(now));
  if (now - since < disableAfterMs) return counted;
  const reason = `every attempt failed since ${counted.failingSince}, lastly: ${error}`;
  return disabledFor(counted, reason, now) ?? counted;
};

/** Active again, whoever switched it off, with its failures forgotten. */
export const activated = (webhook: StoredWebhook): StoredWebhook => {
  const { disabled: _disabled, failingSince: _since, ...rest } = webhook;
  return { ...rest, active: true, consecutiveFailures: 0 };
};

/** As it is shown to whoever may read it; `waiting` counts its deliveries that wait. */
export const webhookMessage = (webhook: StoredWebhook, waiting: number, now: number): Webhook => ({
  id: webhook.id,
  url: webhook.url,
  description: webhook.description,
  filter: webhook.filter,
  active: webhook.active,
  state: stateOf(webhook),
  disabledReason: webhook.disabled?.reason ?? '',
  consecutiveFailures: webhook.consecutiveFailures,
  createdAt: webhook.createdAt,
  updatedAt: webhook.updatedAt,
  lastSucceededAt: webhook.lastSucceededAt,
  disabledAt: webhook.disabled?.at,
  oldSecretUntil: validSecrets(webhook, now)[1]?.until,
  unordered: webhook.unordered,
  waiting,
});

/** As its events tell it: an address may hold a key of the receiver's in its query. */
export const publishedWebhook = (webhook: StoredWebhook, now: number): Webhook => ({
  ...webhookMessage(webhook, 0, now),
  url: shownUrl(webhook.url),
});
