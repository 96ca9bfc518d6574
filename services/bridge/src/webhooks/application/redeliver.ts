import type { RedeliverRequest } from '@millrace/contracts/bridge';
import { Exhausted, Invalid, NotFound } from '@millrace/errors';
import type { Filter } from '@millrace/store';
import { newDelivery, redelivered } from '../domain/delivery.ts';
import { passes } from '../domain/event-filter.ts';
import type { StoredWebhook } from '../domain/webhook.ts';
import { findWebhook } from './change-webhook.ts';
import type { DeliveryQueues } from './delivery-queues.ts';
import { insertOnce } from './enqueue-event.ts';
import type { Dependencies } from './ports.ts';

interface Range {
  /** ISO 8601. */
  readonly since: string | undefined;
  readonly until: string;
}

/** Delivers one again, or all of a time that did not reach the receiver. Resolves how many that are. */
export const redeliver = async (
  deps: Dependencies,
  queues: DeliveryQueues,
  { webhookId, deliveryId, since, until, missed }: RedeliverRequest,
): Promise<number> => {
  const webhook = await findWebhook(deps, webhookId);
  if (deliveryId !== '') {
    if (since !== undefined || until !== undefined || missed) {
      throw Invalid.field('deliveryId', 'one delivery or a range of time can be named, not both');
    }
    return redeliverOne(deps, queues, webhook, deliveryId);
  }
  const range = { since, until: until ?? new Date(deps.now()).toISOString() };
  if (since !== undefined && since >= range.until) throw Invalid.field('since', 'must be before `until`');
  const failed = await redeliverFailed(deps, queues, webhook, range);
  return failed + (missed ? await deliverMissed(deps, queues, webhook, range) : 0);
};

const redeliverOne = async (
  deps: Dependencies,
  queues: DeliveryQueues,
  webhook: StoredWebhook,
  deliveryId: string,
): Promise<number> => {
  let count = 0;
  await deps.collections.deliveries.update(deliveryId, (current) => {
    if (current?.document.webhookId !== webhook.id) {
      throw new NotFound(`the webhook has no delivery "${deliveryId}"`);
    }
    const document = redelivered(current.document, deps.now());
    count = document === undefined ? 0 : 1;
    return document === undefined ? undefined : { document };
  });
  if (count > 0) queues.added(webhook.id);
  return count;
};

const redeliverFailed = async (
  deps: Dependencies,
  queues: DeliveryQueues,
  webhook: StoredWebhook,
  { since, until }: Range,
): Promise<number> => {
  const filter: Filter = {
    and: [
      { field: 'webhookId', op: 'eq', value: webhook.id },
      { field: 'state', op: 'in', value: ['DELIVERY_STATE_FAILED', 'DELIVERY_STATE_CANCELLED'] },
      { field: 'createdAt', op: 'lt', value: until },
      ...(since === undefined ? [] : [{ field: 'createdAt', op: 'gte', value: since } as const]),
    ],
  };
  let count = 0;
  for await (const { key } of deps.collections.deliveries.scan(filter)) {
    await checkSpace(deps, queues, webhook, count);
    count += await redeliverOne(deps, queues, webhook, key);
  }
  return count;
};

/** Events of the time that the bus still has and the webhook has no delivery of. */
const deliverMissed = async (
  deps: Dependencies,
  queues: DeliveryQueues,
  webhook: StoredWebhook,
  { since, until }: Range,
): Promise<number> => {
  let count = 0;
  const events = deps.bus.readEvents({ since: since === undefined ? 'all' : { time: since }, follow: false });
  for await (const event of events) {
    if (event.time >= until || (since !== undefined && event.time < since)) continue;
    if (!passes(webhook.filter, event)) continue;
    await checkSpace(deps, queues, webhook, count);
    const delivery = newDelivery({
      webhookId: webhook.id,
      event,
      now: deps.now(),
      ordered: !webhook.unordered,
    });
    if (!(await insertOnce(deps, delivery))) continue;
    queues.added(webhook.id);
    count += 1;
  }
  return count;
};

const checkSpace = async (
  { rules }: Dependencies,
  queues: DeliveryQueues,
  { id }: StoredWebhook,
  count: number,
): Promise<void> => {
  if ((await queues.waiting(id)) < rules.backlog) return;
  throw new Exhausted(`${rules.backlog} deliveries wait, which is the most; ${count} were added`, {
    hint: 'Ask again when some of them are through: those are left out then.',
  });
};
