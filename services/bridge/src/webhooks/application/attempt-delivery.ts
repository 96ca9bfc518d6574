import { bridgeEvents } from '@millrace/contracts/bridge';
import { messageOf } from '@millrace/errors';
import { eventMessage } from '@millrace/service-kit';
import type { NewMessage, Stored } from '@millrace/store';
import {
  type AttemptResult,
  attempted,
  deliveryMessage,
  type StoredDelivery,
  waits,
} from '../domain/delivery.ts';
import { parseReceiver, shownUrl } from '../domain/receiver.ts';
import { signatureHeaders } from '../domain/signature.ts';
import { type StoredWebhook, validSecrets, withFailure, withSuccess } from '../domain/webhook.ts';
import { noteOutcome } from './change-webhook.ts';
import type { Dependencies } from './ports.ts';

export const contentType = 'application/cloudevents+json; charset=utf-8';

/** What is sent: the message of Standard Webhooks whose id is the event's. */
export interface OutgoingMessage {
  readonly id: string;
  readonly body: string;
  readonly traceparent?: string;
}

/** Signs and sends once. Does not throw: an address or a secret that cannot be used is a failed attempt as well. */
export const sendOnce = async (
  { allow, secrets, sender, now }: Pick<Dependencies, 'allow' | 'secrets' | 'sender' | 'now'>,
  webhook: StoredWebhook,
  message: OutgoingMessage,
): Promise<AttemptResult> => {
  const at = now();
  try {
    const receiver = parseReceiver(webhook.url, allow);
    const open = validSecrets(webhook, at).map(({ sealed }) => secrets.open(webhook.id, sealed));
    const { id, body, traceparent } = message;
    return await sender.send(receiver, {
      headers: {
        'content-type': contentType,
        'user-agent': 'millrace',
        ...signatureHeaders({ id, at, body }, open),
      },
      body,
      ...(traceparent === undefined ? {} : { traceparent }),
    });
  } catch (thrown) {
    return {
      at: new Date(at).toISOString(),
      statusCode: 0,
      durationMs: 0,
      error: messageOf(thrown),
      retryAfterMs: 0,
    };
  }
};

/**
 * Makes the attempt that `claim` was taken for and stores how it went. When somebody took the delivery meanwhile,
 * because this process was away for longer than its claim, his result counts and this one is dropped.
 */
export const attemptDelivery = async (
  deps: Dependencies,
  webhook: StoredWebhook,
  claim: Stored<StoredDelivery>,
): Promise<{ readonly result: AttemptResult; readonly after: StoredDelivery | undefined }> => {
  const { collections, rules, now, random } = deps;
  const { event, body, traceparent } = claim.document;
  const result = await sendOnce(deps, webhook, {
    id: event.id,
    body,
    ...(traceparent === undefined ? {} : { traceparent }),
  });
  const chance = random();
  let after: StoredDelivery | undefined;
  await collections.deliveries.update(claim.key, (current) => {
    after = undefined;
    if (current?.version !== claim.version) return undefined;
    after = attempted(current.document, result, { schedule: rules.schedule, random: chance, now: now() });
    return { document: after, messages: failureMessages(webhook, after) };
  });
  await noteOutcome(deps, webhook.id, (current) =>
    result.error === '' ? withSuccess(current, now()) : withFailure(current, result, rules, now()),
  );
  return { result, after };
};

/** That a delivery failed for good is told once, and not of a delivery that tells it. */
const failureMessages = (webhook: StoredWebhook, delivery: StoredDelivery): readonly NewMessage[] => {
  const { type } = bridgeEvents.deliveryFailed;
  if (waits(delivery) || delivery.state !== 'DELIVERY_STATE_FAILED' || delivery.event.type === type)
    return [];
  const data = { delivery: deliveryMessage(delivery), url: shownUrl(webhook.url) };
  return [eventMessage(bridgeEvents.deliveryFailed, delivery.id, data)];
};
