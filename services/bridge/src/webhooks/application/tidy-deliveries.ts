import type { Filter, Stored } from '@millrace/store';
import { finished, placeOf, placesOf, type StoredDelivery } from '../domain/delivery.ts';
import { isDelivered } from '../domain/webhook.ts';
import type { Dependencies } from './ports.ts';

type Needs = Pick<Dependencies, 'collections' | 'rules' | 'now'>;

const batch = 500;

/** Sorts right after the `.` that ends the webhook's part of a delivery's id. */
const afterDot = '/';

/**
 * Keeps the log within its bounds: deliveries of webhooks that were deleted go, finished ones when they are too old or
 * too many, and what waited too long for its webhook to be switched on again is given up.
 */
export const tidyDeliveries = async (deps: Needs): Promise<void> => {
  const { collections } = deps;
  for await (const webhookId of webhooksWithDeliveries(deps)) {
    const webhook = await collections.webhooks.get(webhookId);
    if (webhook === undefined) {
      await removeAll(deps, { field: '$key', op: 'prefix', value: `${webhookId}.` });
      continue;
    }
    await removeOld(deps, webhookId);
    await removeSurplus(deps, webhookId);
    if (!isDelivered(webhook.document)) await cancelOld(deps, webhookId);
  }
};

/** Ids of webhooks that have deliveries, those of deleted ones too: one look for each. */
async function* webhooksWithDeliveries({ collections }: Needs): AsyncGenerator<string> {
  for (let from = ''; ; ) {
    const { items } = await collections.deliveries.find({
      ...(from === '' ? {} : { filter: { field: '$key', op: 'gte', value: from } }),
      limit: 1,
    });
    const next = items[0]?.document.webhookId;
    if (next === undefined) return;
    yield next;
    from = `${next}${afterDot}`;
  }
}

const removeOld = (deps: Needs, webhookId: string) =>
  removeAll(deps, {
    and: [
      { field: 'finished', op: 'gte', value: placesOf(webhookId) },
      { field: 'finished', op: 'lt', value: placeOf(webhookId, deps.now() - deps.rules.logMs) },
    ],
  });

const removeSurplus = async ({ collections, rules }: Needs, webhookId: string): Promise<void> => {
  const filter: Filter = { field: 'finished', op: 'prefix', value: placesOf(webhookId) };
  for (let surplus = (await collections.deliveries.count(filter)) - rules.logSize; surplus > 0; ) {
    const { items } = await collections.deliveries.find({
      filter,
      sort: { field: 'finished', direction: 'asc' },
      limit: Math.min(surplus, batch),
    });
    if (items.length === 0) return;
    await removeUnchanged({ collections }, items);
    surplus -= items.length;
  }
};

const cancelOld = async ({ collections, rules, now }: Needs, webhookId: string): Promise<void> => {
  const filter: Filter = {
    and: [
      { field: 'due', op: 'prefix', value: placesOf(webhookId) },
      { field: 'createdAt', op: 'lt', value: new Date(now() - rules.logMs).toISOString() },
    ],
  };
  for await (const { key, version } of collections.deliveries.scan(filter)) {
    await collections.deliveries.update(key, (current) =>
      current?.version === version
        ? { document: finished(current.document, 'DELIVERY_STATE_CANCELLED', now()) }
        : undefined,
    );
  }
};

const removeAll = async (deps: Needs, filter: Filter): Promise<void> => {
  for (;;) {
    const { items } = await deps.collections.deliveries.find({ filter, limit: batch });
    await removeUnchanged(deps, items);
    if (items.length < batch) return;
  }
};

/** One that was made again meanwhile stays. */
const removeUnchanged = async (
  { collections }: Pick<Dependencies, 'collections'>,
  items: readonly Stored<StoredDelivery>[],
): Promise<void> => {
  await Promise.all(
    items.map(({ key, version }) =>
      collections.deliveries.update(key, (current) =>
        current?.version === version ? { document: null } : undefined,
      ),
    ),
  );
};
