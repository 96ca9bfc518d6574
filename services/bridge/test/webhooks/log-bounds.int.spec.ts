import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DocumentStore, openSqliteStore } from '@millrace/store';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openCollections } from '../../src/webhooks/adapters/collections.ts';
import type { Collections } from '../../src/webhooks/application/ports.ts';
import { tidyDeliveries } from '../../src/webhooks/application/tidy-deliveries.ts';
import { finished, newDelivery } from '../../src/webhooks/domain/delivery.ts';
import type { StoredWebhook } from '../../src/webhooks/domain/webhook.ts';

const hour = 3_600_000;
const now = Date.parse('2026-03-01T12:00:00Z');
const rules = {
  timeoutMs: 1,
  schedule: [],
  concurrency: 1,
  disableAfterMs: 1,
  backlog: 1,
  logMs: 10 * hour,
  logSize: 3,
};

let folder: string;
let store: DocumentStore;
let collections: Collections;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-log-'));
  store = await openSqliteStore({ path: join(folder, 'store.sqlite'), service: 'bridge' });
  collections = openCollections(store);
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const addWebhook = (id: string, active = true) =>
  collections.webhooks.insert(id, {
    id,
    url: 'https://a.test/',
    description: '',
    filter: { eventTypes: [], entities: [] },
    unordered: false,
    active,
    createdAt: '',
    updatedAt: '',
    secrets: [],
    consecutiveFailures: 0,
  } satisfies StoredWebhook);

/** Adds a delivery made, and finished unless it waits, so many hours ago. */
const addDelivery = async (
  webhookId: string,
  eventId: string,
  hoursAgo: number,
  ended = true,
): Promise<void> => {
  const at = now - hoursAgo * hour;
  const event = {
    id: eventId,
    type: 't',
    key: 'k',
    entity: 'e/k',
    sequence: 1,
    time: '',
    headers: {},
    data: {},
  };
  const made = newDelivery({ webhookId, event, now: at, ordered: true });
  await collections.deliveries.insert(made.id, ended ? finished(made, 'DELIVERY_STATE_SUCCEEDED', at) : made);
};

const left = async () => (await collections.deliveries.find()).items.map(({ key }) => key);

test('finished deliveries go when they are too old or too many, those that wait stay', async () => {
  await addWebhook('wh_a');
  await addWebhook('wh_b');
  for (const [event, hoursAgo] of [
    ['old', 11],
    ['e5', 5],
    ['e4', 4],
    ['e3', 3],
    ['e2', 2],
  ] as const) {
    await addDelivery('wh_a', event, hoursAgo);
  }
  await addDelivery('wh_a', 'waiting', 20, false);
  await addDelivery('wh_b', 'only', 1);
  await tidyDeliveries({ collections, rules, now: () => now });
  expect(await left()).toEqual(['wh_a.e2', 'wh_a.e3', 'wh_a.e4', 'wh_a.waiting', 'wh_b.only']);
});

test('deliveries of a webhook that was deleted go, waiting or not', async () => {
  await addWebhook('wh_b');
  await addDelivery('wh_a', 'one', 1);
  await addDelivery('wh_a', 'two', 1, false);
  await addDelivery('wh_b', 'three', 1, false);
  await tidyDeliveries({ collections, rules, now: () => now });
  expect(await left()).toEqual(['wh_b.three']);
});

test('what waits for a webhook that stays off is given up when the time of the log is over', async () => {
  await addWebhook('wh_off', false);
  await addDelivery('wh_off', 'long', 11, false);
  await addDelivery('wh_off', 'short', 9, false);
  await tidyDeliveries({ collections, rules, now: () => now });
  const states = (await collections.deliveries.find()).items.map(({ document }) => document.state);
  expect(states).toEqual(['DELIVERY_STATE_CANCELLED', 'DELIVERY_STATE_PENDING']);
});
