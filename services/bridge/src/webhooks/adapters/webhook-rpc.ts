import type { BridgeServiceService } from '@millrace/contracts/bridge';
import { pageQuery, type RpcHandlers, requireText } from '@millrace/service-kit';
import type { Filter } from '@millrace/store';
import { findWebhook } from '../application/change-webhook.ts';
import type { DeliveryQueues } from '../application/delivery-queues.ts';
import {
  createWebhook,
  deleteWebhook,
  rotateWebhookSecret,
  updateWebhook,
} from '../application/manage-webhooks.ts';
import type { Dependencies } from '../application/ports.ts';
import { redeliver } from '../application/redeliver.ts';
import { testWebhook } from '../application/test-webhook.ts';
import { deliveryMessage } from '../domain/delivery.ts';
import { type StoredWebhook, webhookMessage } from '../domain/webhook.ts';

type Handlers = Omit<RpcHandlers<typeof BridgeServiceService>, 'getKafkaState'>;

const nextPage = ({ nextCursor }: { readonly nextCursor?: string }) => ({ nextCursor: nextCursor ?? '' });

const deliveryFilter = (webhookId: string, state: string): { filter?: Filter } => {
  const conditions: Filter[] = [];
  if (webhookId !== '') conditions.push({ field: 'webhookId', op: 'eq', value: webhookId });
  if (state !== 'DELIVERY_STATE_UNSPECIFIED') conditions.push({ field: 'state', op: 'eq', value: state });
  return conditions.length === 0 ? {} : { filter: { and: conditions } };
};

/** Answers the RPCs about webhooks of `millrace.bridge.v1.BridgeService`. */
export const webhookHandlers = (deps: Dependencies, queues: DeliveryQueues): Handlers => {
  const { collections, now } = deps;
  const shown = async (webhook: StoredWebhook) =>
    webhookMessage(webhook, await queues.waiting(webhook.id), now());
  return {
    createWebhook: async (request) => {
      requireText('url', request.url);
      const { webhook, secret } = await createWebhook(deps, request);
      queues.wake(webhook.id);
      return { webhook: await shown(webhook), secret };
    },
    getWebhook: async ({ id }) => ({ webhook: await shown(await findWebhook(deps, requireText('id', id))) }),
    listWebhooks: async ({ page }) => {
      const found = await collections.webhooks.find(pageQuery(page));
      return {
        webhooks: await Promise.all(found.items.map(({ document }) => shown(document))),
        page: nextPage(found),
      };
    },
    updateWebhook: async (request) => {
      const webhook = await updateWebhook(deps, { ...request, id: requireText('id', request.id) });
      queues.wake(webhook.id);
      return { webhook: await shown(webhook) };
    },
    deleteWebhook: async ({ id, actor }) => {
      await deleteWebhook(deps, requireText('id', id), actor);
      await queues.remove(id);
      return {};
    },
    rotateWebhookSecret: async (request) => {
      const rotated = await rotateWebhookSecret(deps, { ...request, id: requireText('id', request.id) });
      return { webhook: await shown(rotated.webhook), secret: rotated.secret };
    },
    listDeliveries: async ({ webhookId, state, page }) => {
      const found = await collections.deliveries.find({
        ...deliveryFilter(webhookId, state),
        sort: { field: 'createdAt', direction: 'desc' },
        ...pageQuery(page),
      });
      return {
        deliveries: found.items.map(({ document }) => deliveryMessage(document)),
        page: nextPage(found),
      };
    },
    redeliver: async (request) => ({
      count: await redeliver(deps, queues, {
        ...request,
        webhookId: requireText('webhookId', request.webhookId),
      }),
    }),
    testWebhook: async ({ id, actor }) => {
      const attempt = await testWebhook(deps, requireText('id', id), actor);
      return { attempt, succeeded: attempt.error === '' };
    },
  };
};
