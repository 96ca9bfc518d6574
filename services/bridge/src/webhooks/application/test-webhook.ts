import { structuredEvent } from '@millrace/bus';
import { entityId } from '@millrace/contracts';
import { bridgeEvents, type DeliveryAttempt } from '@millrace/contracts/bridge';
import type { Actor } from '@millrace/contracts/common';
import { sendOnce } from './attempt-delivery.ts';
import { findWebhook } from './change-webhook.ts';
import type { Dependencies } from './ports.ts';

/** Sends a test event now, also to a webhook that is switched off, and tells how it went. */
export const testWebhook = async (
  deps: Dependencies,
  id: string,
  actor: Actor | undefined,
): Promise<DeliveryAttempt> => {
  const webhook = await findWebhook(deps, id);
  const { type, codec } = bridgeEvents.webhookTested;
  const eventId = deps.newId('test');
  const event = structuredEvent({
    id: eventId,
    type,
    key: id,
    time: new Date(deps.now()).toISOString(),
    entity: entityId(bridgeEvents.webhookTested, id),
    sequence: 0,
    headers: { 'ce-source': '/millrace/bridge' },
    data: codec.toJSON({ webhookId: id, actor }),
  });
  const body = JSON.stringify(event);
  const { retryAfterMs: _, ...attempt } = await sendOnce(deps, webhook, {
    id: eventId,
    body,
  });
  return attempt;
};
