import type { Bus } from '@millrace/bus';
import type { Collection } from '@millrace/store';
import type { Logger } from '@millrace/telemetry';
import type { AllowList } from '../domain/address-policy.ts';
import type { AttemptResult, StoredDelivery } from '../domain/delivery.ts';
import type { Receiver } from '../domain/receiver.ts';
import type { RetrySchedule } from '../domain/retry-schedule.ts';
import type { StoredWebhook } from '../domain/webhook.ts';

export interface Collections {
  readonly webhooks: Collection<StoredWebhook>;
  readonly deliveries: Collection<StoredDelivery>;
}

export interface SendRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Trace of the event's cause. */
  readonly traceparent?: string;
}

export interface Sender {
  /** One attempt. Does not throw: what went wrong is the result's `error`. */
  send(receiver: Receiver, request: SendRequest): Promise<AttemptResult>;
  /** Throws `Invalid` when the receiver's name has an address now that may not be connected to. */
  check(receiver: Receiver): Promise<void>;
}

/** Keeps secrets at rest. */
export interface Secrets {
  seal(owner: string, secret: string): string;
  /** Throws `FailedPrecondition` when it cannot be read. */
  open(owner: string, sealed: string): string;
  isOutdated(sealed: string): boolean;
}

export interface Rules {
  /** Milliseconds for one attempt. */
  readonly timeoutMs: number;
  readonly schedule: RetrySchedule;
  /** Attempts at once for one webhook. */
  readonly concurrency: number;
  /** Milliseconds without one success after which a webhook is switched off. */
  readonly disableAfterMs: number;
  /** Deliveries of one webhook that may wait. */
  readonly backlog: number;
  /** Milliseconds that finished deliveries are kept, and how many of one webhook. */
  readonly logMs: number;
  readonly logSize: number;
}

export interface Dependencies {
  readonly collections: Collections;
  readonly bus: Pick<Bus, 'readEvents'>;
  readonly allow: AllowList;
  readonly secrets: Secrets;
  readonly sender: Sender;
  readonly rules: Rules;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Uniform on [0, 1). */
  readonly random: () => number;
  readonly newId: (prefix: string) => string;
  readonly newSecret: () => string;
  readonly log: Logger;
}
