import { allEvents } from '@millrace/contracts';
import {
  bridgeEvents,
  type CreateWebhookRequest,
  type RotateWebhookSecretRequest,
  type UpdateWebhookRequest,
} from '@millrace/contracts/bridge';
import type { Actor } from '@millrace/contracts/common';
import { Exhausted, Invalid } from '@millrace/errors';
import { eventMessage } from '@millrace/service-kit';
import { checkFilter } from '../domain/event-filter.ts';
import { parseReceiver } from '../domain/receiver.ts';
import { activated, publishedWebhook, type StoredWebhook, withNewSecret } from '../domain/webhook.ts';
import { changeWebhook, findWebhook } from './change-webhook.ts';
import type { Dependencies } from './ports.ts';

const knownEvents = [...allEvents.values()];
const maxWebhooks = 100;
const maxDescription = 500;
const daySeconds = 24 * 3600;
const maxOverlapSeconds = 30 * daySeconds;

/** A webhook and the secret that is shown once. */
export interface WithSecret {
  readonly webhook: StoredWebhook;
  readonly secret: string;
}

const checkDescription = (text: string): string => {
  if (text.length > maxDescription) {
    throw Invalid.field('description', `must not be longer than ${maxDescription} characters`);
  }
  return text;
};

/** The canonical address of a receiver that may be connected to as its name resolves now. Throws `Invalid`. */
const checkUrl = async ({ allow, sender }: Dependencies, url: string): Promise<string> => {
  const receiver = parseReceiver(url, allow);
  await sender.check(receiver);
  return receiver.url;
};

export const createWebhook = async (
  deps: Dependencies,
  request: CreateWebhookRequest,
): Promise<WithSecret> => {
  const { collections, secrets, newId, newSecret, now } = deps;
  const description = checkDescription(request.description);
  const filter = checkFilter(request.filter, knownEvents);
  const url = await checkUrl(deps, request.url);
  if ((await collections.webhooks.count()) >= maxWebhooks) {
    throw new Exhausted(`there are ${maxWebhooks} webhooks, which is the most`);
  }
  const id = newId('wh');
  const secret = newSecret();
  const at = new Date(now()).toISOString();
  const webhook: StoredWebhook = {
    id,
    url,
    description,
    filter,
    unordered: request.unordered,
    active: true,
    createdAt: at,
    updatedAt: at,
    secrets: [{ sealed: secrets.seal(id, secret) }],
    consecutiveFailures: 0,
  };
  const event = { webhook: publishedWebhook(webhook, now()), actor: request.actor };
  await collections.webhooks.insert(id, webhook, [eventMessage(bridgeEvents.webhookCreated, id, event)]);
  return { webhook, secret };
};

const changedMessage =
  (deps: Dependencies, actor: Actor | undefined, fields: readonly string[]) => (webhook: StoredWebhook) => [
    eventMessage(bridgeEvents.webhookChanged, webhook.id, {
      webhook: publishedWebhook(webhook, deps.now()),
      actor,
      fields: [...fields],
    }),
  ];

export const updateWebhook = async (
  deps: Dependencies,
  { id, active, filter, description, url, unordered, actor }: UpdateWebhookRequest,
): Promise<StoredWebhook> => {
  await findWebhook(deps, id);
  const wanted = {
    ...(filter === undefined ? {} : { filter: checkFilter(filter, knownEvents) }),
    ...(description === undefined ? {} : { description: checkDescription(description) }),
    ...(unordered === undefined ? {} : { unordered }),
    ...(url === undefined ? {} : { url: await checkUrl(deps, url) }),
  };
  const fields = [...Object.keys(wanted), ...(active === undefined ? [] : ['active'])];
  if (fields.length === 0) throw new Invalid('the request changes nothing');
  return changeWebhook(
    deps,
    id,
    (webhook) => {
      const changed = { ...webhook, ...wanted, updatedAt: new Date(deps.now()).toISOString() };
      if (active === undefined) return changed;
      return active ? activated(changed) : { ...changed, active: false };
    },
    changedMessage(deps, actor, fields),
  );
};

export const rotateWebhookSecret = async (
  deps: Dependencies,
  { id, overlapSeconds = daySeconds, actor }: RotateWebhookSecretRequest,
): Promise<WithSecret> => {
  if (!(overlapSeconds >= 0 && overlapSeconds <= maxOverlapSeconds)) {
    throw Invalid.field('overlapSeconds', `must be 0 to ${maxOverlapSeconds}`);
  }
  const secret = deps.newSecret();
  const sealed = deps.secrets.seal(id, secret);
  const webhook = await changeWebhook(
    deps,
    id,
    (current) => withNewSecret(current, sealed, overlapSeconds * 1000, deps.now()),
    changedMessage(deps, actor, ['secret']),
  );
  return { webhook, secret };
};

/** Its deliveries go with the next `tidyDeliveries`. */
export const deleteWebhook = async (
  deps: Dependencies,
  id: string,
  actor: Actor | undefined,
): Promise<void> => {
  const webhook = await findWebhook(deps, id);
  const event = { webhook: publishedWebhook(webhook, deps.now()), actor };
  await deps.collections.webhooks.update(id, (current) =>
    current === undefined
      ? undefined
      : { document: null, messages: [eventMessage(bridgeEvents.webhookDeleted, id, event)] },
  );
};

/** Seals anew, with the current key, the secrets that were sealed with another or with none. */
export const resealSecrets = async ({ collections, secrets }: Dependencies): Promise<void> => {
  for await (const { key, document } of collections.webhooks.scan()) {
    if (!document.secrets.some(({ sealed }) => secrets.isOutdated(sealed))) continue;
    await collections.webhooks.update(key, (current) => {
      if (current === undefined) return undefined;
      const sealedAnew = current.document.secrets.map((secret) => ({
        ...secret,
        sealed: secrets.seal(key, secrets.open(key, secret.sealed)),
      }));
      return { document: { ...current.document, secrets: sealedAnew } };
    });
  }
};
