import { type EventToShow, structuredEvent } from '@millrace/bus';
import type { Delivery, DeliveryAttempt, DeliveryState } from '@millrace/contracts/bridge';
import { nextDelayMs, type RetrySchedule } from './retry-schedule.ts';

/** One event for one webhook, as it is stored. Times are ISO 8601, UTC. */
export interface StoredDelivery {
  readonly id: string;
  readonly webhookId: string;
  readonly event: {
    readonly id: string;
    readonly type: string;
    readonly entity: string;
    readonly sequence: number;
  };
  /** What is sent, byte by byte the same in each attempt. */
  readonly body: string;
  /** Context of the trace that caused the event. */
  readonly traceparent?: string;
  readonly state: DeliveryState;
  readonly attempts: readonly DeliveryAttempt[];
  readonly attemptCount: number;
  /** Failed attempts since it was made, or made again. */
  readonly failures: number;
  readonly redeliveries: number;
  readonly createdAt: string;
  readonly finishedAt?: string;
  /** `<webhook>\n<time>` while it waits: from when on it may be attempted. */
  readonly due?: string;
  /** `<webhook>\n<entity>\n<sequence>` while it waits and keeps the order of its entity. */
  readonly lane?: string;
  /** Put off because an earlier event of its entity waits. */
  readonly heldBack?: true;
  /** `<webhook>\n<time>` once it finished; what the bounds of the log count by. */
  readonly finished?: string;
}

/** Attempts kept in the log of one delivery. */
const keptAttempts = 20;
const maxErrorLength = 500;

const iso = (ms: number): string => new Date(ms).toISOString();

/** The same for an event and a webhook whenever it is asked for, so that nothing is queued twice. */
export const deliveryId = (webhookId: string, eventId: string): string => `${webhookId}.${eventId}`;

/** Orders deliveries of a webhook by time; a prefix of it is the range of the webhook. */
export const placeOf = (webhookId: string, at: number): string => `${webhookId}\n${iso(at)}`;
export const placesOf = (webhookId: string): string => `${webhookId}\n`;

/** All deliveries of a webhook and entity that wait, in the order of their sequence. */
export const laneOf = (webhookId: string, entity: string): string => `${webhookId}\n${entity}\n`;

export const timeOfPlace = (place: string): number => Date.parse(place.slice(place.indexOf('\n') + 1));

export interface NewDelivery {
  readonly webhookId: string;
  readonly event: EventToShow;
  readonly now: number;
  /** Whether it waits for earlier events of its entity. */
  readonly ordered: boolean;
}

export const newDelivery = ({ webhookId, event, now, ordered }: NewDelivery): StoredDelivery => {
  const { traceparent } = event.headers;
  const place = `${laneOf(webhookId, event.entity)}${String(event.sequence).padStart(16, '0')}`;
  return {
    id: deliveryId(webhookId, event.id),
    webhookId,
    event: { id: event.id, type: event.type, entity: event.entity, sequence: event.sequence },
    body: JSON.stringify(structuredEvent(event)),
    ...(traceparent === undefined ? {} : { traceparent }),
    state: 'DELIVERY_STATE_PENDING',
    attempts: [],
    attemptCount: 0,
    failures: 0,
    redeliveries: 0,
    createdAt: iso(now),
    due: placeOf(webhookId, now),
    ...(ordered ? { lane: place } : {}),
  };
};

/** Whether another attempt follows. */
export const waits = ({ due }: StoredDelivery): boolean => due !== undefined;

/** Taken for an attempt: nobody else takes it until the attempt's time is surely over. */
export const claimed = (delivery: StoredDelivery, until: number): StoredDelivery => {
  const { heldBack: _, ...rest } = delivery;
  return { ...rest, due: placeOf(delivery.webhookId, until) };
};

/** Put off until an earlier event of its entity is through, or until the time at which to look again. */
export const heldBack = (delivery: StoredDelivery, until: number): StoredDelivery => ({
  ...delivery,
  due: placeOf(delivery.webhookId, until),
  heldBack: true,
});

/** Not held back any longer; undefined when it was not. */
export const released = (delivery: StoredDelivery, now: number): StoredDelivery | undefined =>
  delivery.heldBack === true && waits(delivery) ? claimed(delivery, now) : undefined;

/** How an attempt went. */
export interface AttemptResult extends DeliveryAttempt {
  /** What the receiver asked for, milliseconds; 0 when nothing. */
  readonly retryAfterMs: number;
}

export interface Retrying {
  readonly schedule: RetrySchedule;
  /** Uniform on [0, 1). */
  readonly random: number;
  readonly now: number;
}

/** After an attempt: succeeded, waiting for the next one, or failed for good. */
export const attempted = (
  delivery: StoredDelivery,
  { retryAfterMs, ...attempt }: AttemptResult,
  { schedule, random, now }: Retrying,
): StoredDelivery => {
  const kept = { ...attempt, error: attempt.error.slice(0, maxErrorLength) };
  const failures = delivery.failures + (attempt.error === '' ? 0 : 1);
  const next = {
    ...delivery,
    attempts: [...delivery.attempts, kept].slice(-keptAttempts),
    attemptCount: delivery.attemptCount + 1,
    failures,
  };
  if (attempt.error === '') return finished(next, 'DELIVERY_STATE_SUCCEEDED', now);
  // Gone: the receiver says that it will not come back.
  const delayMs =
    attempt.statusCode === 410 ? undefined : nextDelayMs(schedule, failures, random, retryAfterMs);
  if (delayMs === undefined) return finished(next, 'DELIVERY_STATE_FAILED', now);
  return {
    ...claimed(next, now + delayMs),
    state: 'DELIVERY_STATE_RETRYING',
  };
};

/** Takes it out of what waits. */
export const finished = (delivery: StoredDelivery, state: DeliveryState, now: number): StoredDelivery => {
  const { due: _due, lane: _lane, heldBack: _held, ...rest } = delivery;
  return { ...rest, state, finishedAt: iso(now), finished: placeOf(delivery.webhookId, now) };
};

/** Whether it ended without having reached its receiver. */
export const notMade = ({ state }: StoredDelivery): boolean =>
  state === 'DELIVERY_STATE_FAILED' || state === 'DELIVERY_STATE_CANCELLED';

/** Made again from the start, out of its entity's order; undefined while it waits anyway. */
export const redelivered = (delivery: StoredDelivery, now: number): StoredDelivery | undefined => {
  if (waits(delivery)) return undefined;
  const { finishedAt: _at, finished: _place, ...rest } = delivery;
  return {
    ...rest,
    state: 'DELIVERY_STATE_PENDING',
    failures: 0,
    redeliveries: delivery.redeliveries + 1,
    due: placeOf(delivery.webhookId, now),
  };
};

/** As it is shown: without its body. */
export const deliveryMessage = (delivery: StoredDelivery): Delivery => ({
  id: delivery.id,
  webhookId: delivery.webhookId,
  eventId: delivery.event.id,
  eventType: delivery.event.type,
  entity: delivery.event.entity,
  state: delivery.state,
  attempts: [...delivery.attempts],
  attemptCount: delivery.attemptCount,
  nextAttemptAt: delivery.due === undefined ? undefined : iso(timeOfPlace(delivery.due)),
  createdAt: delivery.createdAt,
  finishedAt: delivery.finishedAt,
  redeliveries: delivery.redeliveries,
});
