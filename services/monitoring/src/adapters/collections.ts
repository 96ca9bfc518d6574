import { retention, type StorageParts } from '@millrace/service-kit';
import type { DocumentStore } from '@millrace/store';
import type { Collections } from '../application/ports.ts';
import type { WindowReport } from '../domain/window-report.ts';

/** Everything that this service stores. Indexes are what its queries ask for, no more. */
export const openCollections = (store: DocumentStore): Collections => ({
  monitors: store.collection({ name: 'monitors' }),
  streams: store.collection({ name: 'streams' }),
  parts: store.collection({ name: 'window_parts' }),
  predictions: store.collection({
    name: 'predictions',
    indexes: [
      { path: 'endpoint', type: 'text' },
      { path: 'labelled', type: 'number' },
      { map: 'rows', values: 'number' },
    ],
  }),
  earlyLabels: store.collection({
    name: 'early_labels',
    indexes: [
      { path: 'endpoint', type: 'text' },
      { path: 'at', type: 'number' },
    ],
  }),
  windows: store.collection({
    name: 'windows',
    indexes: [
      { path: 'endpoint', type: 'text' },
      { path: 'number', type: 'number' },
    ],
  }),
  alerts: store.collection({
    name: 'alerts',
    indexes: [
      { path: 'endpoint', type: 'text' },
      { path: 'status', type: 'text' },
      { path: 'raisedAt', type: 'text' },
    ],
  }),
  retrainings: store.collection({ name: 'retrainings' }),
  reactions: store.collection({ name: 'reactions' }),
  learned: store.collection({ name: 'learned_baselines' }),
});

/** What the collector of garbage must know. Predictions have a limit of their own, and refer to no blob. */
export const monitoringStorage: StorageParts = {
  journals: ['streams', 'window_parts', 'predictions', 'early_labels'],
  retention: [
    retention<WindowReport>({
      collection: 'windows',
      ended: ({ window: { closed, to } }) =>
        closed && to !== undefined ? { period: 'windows', at: Date.parse(to) } : undefined,
    }),
  ],
};
