import { bridgeEvents } from '@millrace/contracts/bridge';
import { NotFound } from '@millrace/errors';
import { eventMessage } from '@millrace/service-kit';
import type { NewMessage } from '@millrace/store';
import { isDelivered, publishedWebhook, type StoredWebhook } from '../domain/webhook.ts';
import type { Dependencies } from './ports.ts';

type Needs = Pick<Dependencies, 'collections' | 'now'>;

export const noWebhook = (id: string): NotFound =>
  new NotFound(`there is no webhook "${id}"`, { hint: '`millrace webhooks list` shows those there are.' });

export const findWebhook = async ({ collections }: Needs, id: string): Promise<StoredWebhook> => {
  const found = await collections.webhooks.get(id);
  if (found === undefined) throw noWebhook(id);
  return found.document;
};

/**
 * Changes a webhook and publishes what `messages` says of it, in one write. Undefined from `change` leaves it.
 * Throws `NotFound`.
 */
export const changeWebhook = async (
  { collections }: Needs,
  id: string,
  change: (webhook: StoredWebhook) => StoredWebhook | undefined,
  messages: (webhook: StoredWebhook) => readonly NewMessage[] = () => [],
): Promise<StoredWebhook> => {
  const stored = await collections.webhooks.update(id, (current) => {
    if (current === undefined) throw noWebhook(id);
    const document = change(current.document);
    return document === undefined ? undefined : { document, messages: messages(document) };
  });
  if (stored === undefined) throw noWebhook(id);
  return stored.document;
};

/**
 * Notes how an attempt went, or that too much waits. A webhook that this switches off says so by an event. One that
 * was deleted meanwhile needs no note.
 */
export const noteOutcome = async (
  { collections, now }: Needs,
  id: string,
  change: (webhook: StoredWebhook) => StoredWebhook | undefined,
): Promise<void> => {
  await collections.webhooks.update(id, (current) => {
    const document = current === undefined ? undefined : change(current.document);
    if (current === undefined || document === undefined) return undefined;
    const switchedOff = isDelivered(current.document) && document.disabled !== undefined;
    return { document, messages: switchedOff ? [disabledMessage(document, now())] : [] };
  });
};

const disabledMessage = (webhook: StoredWebhook, now: number): NewMessage =>
  eventMessage(bridgeEvents.webhookDisabled, webhook.id, {
    webhook: publishedWebhook(webhook, now),
    reason: webhook.disabled?.reason ?? '',
  });
