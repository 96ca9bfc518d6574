import type { EventContext, EventToShow, HandledPosition, Outcome } from '@millrace/bus';
import { Conflict } from '@millrace/errors';
import { newDelivery, type StoredDelivery } from '../domain/delivery.ts';
import { passes } from '../domain/event-filter.ts';
import { disabledFor, isDelivered, type StoredWebhook } from '../domain/webhook.ts';
import { noteOutcome } from './change-webhook.ts';
import type { DeliveryQueues } from './delivery-queues.ts';
import type { Dependencies } from './ports.ts';

/** That a delivery failed is no news for the receiver that it failed to reach. */
const isAboutItself = (type: string, data: unknown, webhookId: string): boolean =>
  type.startsWith('millrace.bridge.delivery.') &&
  (data as { delivery?: { webhookId?: string } }).delivery?.webhookId === webhookId;

/**
 * Queues an event for every webhook that is on and whose filter lets it through. The consumer's position is written
 * with the last of the deliveries; those before have keys that make their repetition harmless. So an event that counts
 * as handled is queued for all, whenever the process ends.
 */
export const enqueueEvent =
  (deps: Dependencies, queues: DeliveryQueues) =>
  async (event: EventToShow, { handled }: Pick<EventContext, 'handled'>): Promise<Outcome> => {
    const { collections, now } = deps;
    const { items } = await collections.webhooks.find({ limit: 1000 });
    const interested = items
      .map(({ document }) => document)
      .filter((webhook) => isDelivered(webhook) && passes(webhook.filter, event))
      .filter(({ id }) => !isAboutItself(event.type, event.data, id));
    const webhooks = await withoutOverfull(deps, queues, interested);
    const deliveries = webhooks.map(({ id, unordered }) =>
      newDelivery({ webhookId: id, event, now: now(), ordered: !unordered }),
    );
    const last = deliveries.pop();
    if (last === undefined) return { kind: 'ignored', reason: 'no webhook wants it' };
    await Promise.all(deliveries.map((delivery) => insertOnce(deps, delivery)));
    await insertOnce(deps, last, handled);
    for (const { id } of webhooks) queues.added(id);
    return { kind: 'done' };
  };

/** Stores a new delivery; one that is there already stays as it is. Resolves whether it was new. */
export const insertOnce = async (
  { collections }: Pick<Dependencies, 'collections'>,
  delivery: StoredDelivery,
  handled?: HandledPosition,
): Promise<boolean> => {
  try {
    const { status } = await collections.deliveries.commit({
      key: delivery.id,
      expected: 0,
      document: delivery,
      ...(handled === undefined ? {} : { handled }),
    });
    return status === 'committed';
  } catch (thrown) {
    if (thrown instanceof Conflict) return false;
    throw thrown;
  }
};

/** Switches off those for which too much waits already: what they miss can be fetched once they are on again. */
const withoutOverfull = async (
  deps: Dependencies,
  queues: DeliveryQueues,
  webhooks: readonly StoredWebhook[],
): Promise<readonly StoredWebhook[]> => {
  const { backlog } = deps.rules;
  const taking: StoredWebhook[] = [];
  for (const webhook of webhooks) {
    if ((await queues.waiting(webhook.id)) < backlog) {
      taking.push(webhook);
      continue;
    }
    const reason = `${backlog} deliveries wait, which is the most`;
    await noteOutcome(deps, webhook.id, (current) => disabledFor(current, reason, deps.now()));
    deps.log.warn({ webhook: webhook.id }, `webhook switched off: ${reason}`);
  }
  return taking;
};
