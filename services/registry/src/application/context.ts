import type { BlobStore } from '@millrace/blobs';
import type { Report } from '@millrace/contracts/evaluation';
import type { Collection, DocumentStore } from '@millrace/store';
import type { AuditRecord } from '../domain/audit-chain.ts';
import type { LineageEdge, NodeKind } from '../domain/lineage/graph.ts';
import type { AliasMove, Model } from '../domain/model.ts';
import type { ModelImport } from '../domain/model-import.ts';
import type { ModelVersion } from '../domain/model-version.ts';
import type { Policy } from '../domain/policy.ts';
import { SerialQueues } from './serial-queues.ts';

/** A node as it is kept; a node that is only known from edges is not. */
export interface LineageNodeDocument {
  readonly kind: NodeKind;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ReactionDocument {
  readonly enabled: boolean;
}

export interface RegistryCollections {
  /** By name. */
  readonly models: Collection<Model>;
  /** By `<model>/<number>`. */
  readonly versions: Collection<ModelVersion>;
  /** Moves that no longer fit in their model's document, by `<model>/<move number>`. */
  readonly moves: Collection<AliasMove>;
  /** The default policy, under `defaultPolicyKey`. */
  readonly policies: Collection<Policy>;
  /** By name; absent: enabled. */
  readonly reactions: Collection<ReactionDocument>;
  /** By number, zero-padded. */
  readonly audit: Collection<AuditRecord>;
  /** By node id. */
  readonly nodes: Collection<LineageNodeDocument>;
  readonly edges: Collection<LineageEdge>;
  readonly imports: Collection<ModelImport>;
}

export const openCollections = (store: DocumentStore): RegistryCollections => ({
  models: store.collection({ name: 'models' }),
  versions: store.collection({
    name: 'model_versions',
    indexes: [
      { path: 'model', type: 'text' },
      { path: 'number', type: 'number' },
      { path: 'registrationId', type: 'text', unique: true },
    ],
  }),
  moves: store.collection({
    name: 'alias_moves',
    indexes: [
      { path: 'model', type: 'text' },
      { path: 'alias', type: 'text' },
      { path: 'number', type: 'number' },
      { path: 'toVersion', type: 'number' },
      { path: 'at', type: 'text' },
    ],
  }),
  policies: store.collection({ name: 'policies' }),
  reactions: store.collection({ name: 'reactions' }),
  audit: store.collection({
    name: 'audit_records',
    indexes: [
      { path: 'entity', type: 'text' },
      { path: 'number', type: 'number' },
      { path: 'facts.eventId', type: 'text', unique: true },
    ],
  }),
  nodes: store.collection({ name: 'lineage_nodes' }),
  edges: store.collection({
    name: 'lineage_edges',
    indexes: [
      { path: 'from', type: 'text' },
      { path: 'to', type: 'text' },
    ],
  }),
  imports: store.collection({ name: 'model_imports', indexes: [{ path: 'state', type: 'text' }] }),
});

/** Tells what the evaluation service says of a model; it alone is believed. */
export interface EvaluationReports {
  /** `undefined` when there is no such report. @throws Unavailable when it does not answer. */
  get(reportId: string): Promise<Report | undefined>;
  /** The newest report on exactly this model. */
  findForModel(modelDigest: string): Promise<Report | undefined>;
}

/** What the use cases work with. */
export interface RegistryContext {
  readonly collections: RegistryCollections;
  readonly blobs: BlobStore;
  readonly reports: EvaluationReports;
  /** ISO 8601, UTC. */
  now(): string;
  newId(prefix: string): string;
  /** Lines up work that would otherwise race for the same number; correctness does not depend on it. */
  readonly queues: SerialQueues;
}

export const newContext = (parts: Omit<RegistryContext, 'queues'>): RegistryContext => ({
  ...parts,
  queues: new SerialQueues(),
});
