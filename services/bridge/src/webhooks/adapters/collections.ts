import type { DocumentStore } from '@millrace/store';
import type { Collections } from '../application/ports.ts';

/** Everything that webhooks store. Indexes are what their queries ask for, no more. */
export const openCollections = (store: DocumentStore): Collections => ({
  webhooks: store.collection({ name: 'webhooks' }),
  deliveries: store.collection({
    name: 'webhook_deliveries',
    indexes: [
      { path: 'due', type: 'text' },
      { path: 'lane', type: 'text' },
      { path: 'finished', type: 'text' },
      { path: 'state', type: 'text' },
      { path: 'webhookId', type: 'text' },
      { path: 'createdAt', type: 'text' },
    ],
  }),
});
