import type { BridgeServiceService } from '@millrace/contracts/bridge';
import type { DeploymentServiceService } from '@millrace/contracts/deployment';
import type { EvaluationServiceService } from '@millrace/contracts/evaluation';
import type { TokenServiceService } from '@millrace/contracts/gateway';
import type { DatasetServiceService } from '@millrace/contracts/ingest';
import type { MonitoringServiceService } from '@millrace/contracts/monitoring';
import type { PipelineServiceService } from '@millrace/contracts/pipeline';
import type { RegistryServiceService } from '@millrace/contracts/registry';
import type { StorageServiceService } from '@millrace/contracts/storage';
import type { TrackingServiceService } from '@millrace/contracts/training';
import type { ServiceName } from './settings.ts';

/** Who may call each method of a contract. A method that is left out is a compile error. */
type Callers<Definition> = { readonly [method in keyof Definition]: readonly ServiceName[] };

/** Users' requests come through the gateway, which has checked what their roles allow. */
const users = ['gateway'] as const;

const bridge: Callers<typeof BridgeServiceService> = {
  createWebhook: users,
  getWebhook: users,
  listWebhooks: users,
  updateWebhook: users,
  deleteWebhook: users,
  rotateWebhookSecret: users,
  listDeliveries: users,
  redeliver: users,
  testWebhook: users,
  getKafkaState: users,
};

const deployment: Callers<typeof DeploymentServiceService> = {
  deploy: users,
  promote: users,
  rollback: users,
  getEndpoint: users,
  listEndpoints: users,
  listRevisions: users,
  deleteEndpoint: users,
  listReactions: users,
  setReaction: users,
};

const evaluation: Callers<typeof EvaluationServiceService> = {
  // The registry admits a version only with a verdict that it has read itself.
  getReport: [...users, 'registry'],
  listReports: users,
  findVerdict: [...users, 'registry'],
};

/** The gateway asks itself, as it asks any other for its users. */
const gateway: Callers<typeof TokenServiceService> = {
  createToken: users,
  listTokens: users,
  revokeToken: users,
};

const ingest: Callers<typeof DatasetServiceService> = {
  getDatasetVersion: users,
  listDatasetVersions: users,
  listDatasets: users,
};

const monitoring: Callers<typeof MonitoringServiceService> = {
  getMonitor: users,
  listMonitors: users,
  listWindows: users,
  getWindow: users,
  listAlerts: users,
  acknowledgeAlert: users,
  muteMonitor: users,
  submitLabels: users,
  getPrediction: users,
  listReactions: users,
  setReaction: users,
};

const pipeline: Callers<typeof PipelineServiceService> = {
  pushProject: users,
  listProjects: users,
  planRun: users,
  submitRun: users,
  getRun: users,
  listRuns: users,
  cancelRun: users,
  resumeRun: users,
  createTrigger: users,
  listTriggers: users,
  deleteTrigger: users,
  listReactions: users,
  setReaction: users,
  startGarbageCollection: users,
  getGarbageCollection: users,
  listGarbageCollections: users,
  placeHold: users,
  listHolds: users,
  releaseHold: users,
};

const registry: Callers<typeof RegistryServiceService> = {
  listModels: users,
  // Batch scoring takes the latest version.
  getModel: [...users, 'deployment'],
  listModelVersions: users,
  getModelVersion: [...users, 'deployment', 'pipeline'],
  approveModelVersion: users,
  rejectModelVersion: users,
  archiveModelVersion: users,
  importModel: users,
  getModelImport: users,
  setAlias: users,
  // Evaluation compares with the champion, a run fingerprints it, an endpoint follows an alias.
  resolveAlias: [...users, 'deployment', 'evaluation', 'pipeline'],
  listAliasHistory: users,
  getPolicy: [...users, 'deployment', 'pipeline'],
  setPolicy: users,
  getLineage: users,
  listAuditRecords: users,
  verifyAudit: users,
  listReactions: users,
  setReaction: users,
};

const training: Callers<typeof TrackingServiceService> = {
  // A hold is placed on a run that exists.
  getRun: [...users, 'pipeline'],
  searchRuns: users,
  compareRuns: users,
  getMetricHistory: users,
  logBatch: users,
  listExperiments: users,
};

/** The pipeline service collects garbage over all stores. */
const storage: Callers<typeof StorageServiceService> = {
  listDocuments: ['pipeline'],
  removeDocuments: ['pipeline'],
  pruneEvents: ['pipeline'],
};

/** By the full name of the gRPC service. */
const table: Readonly<Record<string, Readonly<Record<string, readonly ServiceName[]>>>> = {
  'millrace.bridge.v1.BridgeService': bridge,
  'millrace.deployment.v1.DeploymentService': deployment,
  'millrace.evaluation.v1.EvaluationService': evaluation,
  'millrace.gateway.v1.TokenService': gateway,
  'millrace.ingest.v1.DatasetService': ingest,
  'millrace.monitoring.v1.MonitoringService': monitoring,
  'millrace.pipeline.v1.PipelineService': pipeline,
  'millrace.registry.v1.RegistryService': registry,
  'millrace.storage.v1.StorageService': storage,
  'millrace.training.v1.TrackingService': training,
};

/**
 * The services that may call a method, `millrace.registry.v1.RegistryService/GetModel`; `undefined` when nobody has
 * decided about it, which means nobody.
 */
export const callersOf = (method: string): readonly ServiceName[] | undefined => {
  const [service = '', name = ''] = method.split('/');
  return table[service]?.[`${name.charAt(0).toLowerCase()}${name.slice(1)}`];
};

/** Every method of every service with who may call it: `registry`, `getModelVersion`. */
export const rpcCallers: readonly {
  readonly provider: string;
  readonly rpc: string;
  readonly callers: readonly ServiceName[];
}[] = Object.entries(table).flatMap(([service, methods]) =>
  Object.entries(methods).map(([rpc, callers]) => ({ provider: service.split('.')[1] ?? '', rpc, callers })),
);
