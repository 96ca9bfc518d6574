import type { RegistryServiceService } from '@millrace/contracts/registry';
import type { RpcClient } from '@millrace/service-kit';
import type { Collection, DocumentStore } from '@millrace/store';
import type { Logger } from '@millrace/telemetry';
import type { Endpoint } from '../domain/endpoint.ts';
import type { InferenceLog } from './inference-log.ts';
import type { ModelLoader } from './model-loader.ts';
import type { ServingTable } from './serving-table.ts';

/** How often each revision of an endpoint answered. Written now and then: a crash may lose the newest counts. */
export interface ServedCount {
  readonly byRevision: Readonly<Record<string, number>>;
}

export interface ReactionSwitch {
  readonly enabled: boolean;
  readonly fired: number;
  readonly lastFiredAt?: string;
}

/** What the use cases of this service share. */
export interface DeploymentContext {
  readonly endpoints: Collection<Endpoint>;
  readonly counts: Collection<ServedCount>;
  readonly reactions: Collection<ReactionSwitch>;
  readonly registry: RpcClient<typeof RegistryServiceService>;
  readonly loader: ModelLoader;
  readonly table: ServingTable;
  readonly inferenceLog: InferenceLog;
  readonly log: Logger;
  /** ISO 8601. */
  readonly now: () => string;
  /** Base URL of the data plane, known once it listens. */
  readonly baseUrl: () => string;
}

export const openCollections = (
  store: DocumentStore,
): Pick<DeploymentContext, 'endpoints' | 'counts' | 'reactions'> => ({
  endpoints: store.collection({ name: 'endpoints', indexes: [{ path: 'alias', type: 'text' }] }),
  counts: store.collection({ name: 'served_counts' }),
  reactions: store.collection({ name: 'reactions' }),
});
