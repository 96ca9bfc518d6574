import type { Permission } from './permissions.ts';

/** Services that the REST API reaches. */
export type ApiService =
  | 'ingest'
  | 'training'
  | 'evaluation'
  | 'registry'
  | 'deployment'
  | 'monitoring'
  | 'pipeline'
  | 'bridge'
  | 'gateway';

/** Where the API lies below the gateway's address. */
export const apiPrefix = '/api/v1';

/** One REST route answered by one RPC. Path, query and body together make the request message. */
export interface RpcRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/api/v1`; `:name` are fields of the request message. */
  readonly path: string;
  readonly service: ApiService;
  /** Method of the service's contract, `listModels`. */
  readonly rpc: string;
  readonly summary: string;
  /** What a token has to allow. */
  readonly permission: Permission;
  /** The trace that a request begins is recorded, whatever the limit of new traces: it is looked for afterwards. */
  readonly tracing?: 'unlimited';
}

const route = (
  method: RpcRoute['method'],
  path: string,
  service: RpcRoute['service'],
  rpc: string,
  summary: string,
  permission: Permission,
): RpcRoute => ({ method, path, service, rpc, summary, permission });

/** The REST API, apart from blobs, events, traces, dead letters and predictions, which are not RPCs. */
export const rpcRoutes: readonly RpcRoute[] = [
  route('PUT', '/projects', 'pipeline', 'pushProject', "Remember a project's latest snapshot", 'run'),
  route('GET', '/projects', 'pipeline', 'listProjects', 'Projects', 'read'),
  route('POST', '/runs:plan', 'pipeline', 'planRun', 'Resolve a recipe without running it', 'run'),
  { ...route('POST', '/runs', 'pipeline', 'submitRun', 'Run a recipe', 'run'), tracing: 'unlimited' },
  route('GET', '/runs', 'pipeline', 'listRuns', 'Pipeline runs, newest first', 'read'),
  route('GET', '/runs/:id', 'pipeline', 'getRun', 'One pipeline run', 'read'),
  route('POST', '/runs/:id/cancel', 'pipeline', 'cancelRun', 'Give a run up', 'run'),
  route(
    'POST',
    '/runs/:id/resume',
    'pipeline',
    'resumeRun',
    'Continue a run from the step where it ended',
    'run',
  ),
  route('POST', '/triggers', 'pipeline', 'createTrigger', 'Create or replace a trigger', 'run'),
  route('GET', '/triggers', 'pipeline', 'listTriggers', 'Triggers', 'read'),
  route('DELETE', '/triggers/:name', 'pipeline', 'deleteTrigger', 'Delete a trigger', 'run'),
  route(
    'POST',
    '/garbage-collections',
    'pipeline',
    'startGarbageCollection',
    'Collect garbage, or look for it',
    'administer',
  ),
  route(
    'GET',
    '/garbage-collections',
    'pipeline',
    'listGarbageCollections',
    'Collections of garbage, newest first',
    'read',
  ),
  route(
    'GET',
    '/garbage-collections/:id',
    'pipeline',
    'getGarbageCollection',
    'One collection of garbage',
    'read',
  ),
  route('POST', '/holds', 'pipeline', 'placeHold', 'Keep a blob, a run or a model version', 'administer'),
  route('GET', '/holds', 'pipeline', 'listHolds', 'What is held', 'read'),
  route('POST', '/holds:release', 'pipeline', 'releaseHold', 'Release a hold', 'administer'),
  route('GET', '/datasets', 'ingest', 'listDatasets', 'Datasets', 'read'),
  route(
    'GET',
    '/datasets/:dataset/versions',
    'ingest',
    'listDatasetVersions',
    'Versions of a dataset',
    'read',
  ),
  route('GET', '/dataset-versions/:id', 'ingest', 'getDatasetVersion', 'One dataset version', 'read'),
  route('GET', '/experiments', 'training', 'listExperiments', 'Experiments', 'read'),
  route('GET', '/training-runs', 'training', 'searchRuns', 'Search training runs', 'read'),
  route('POST', '/training-runs:compare', 'training', 'compareRuns', 'Training runs side by side', 'read'),
  route('GET', '/training-runs/:id', 'training', 'getRun', 'One training run', 'read'),
  route('POST', '/training-runs/:runId/log', 'training', 'logBatch', 'Log metrics, params and tags', 'run'),
  route(
    'GET',
    '/training-runs/:runId/metrics/:key',
    'training',
    'getMetricHistory',
    'History of a metric',
    'read',
  ),
  route('GET', '/evaluations', 'evaluation', 'listReports', 'Evaluation reports, newest first', 'read'),
  route('GET', '/evaluations/:id', 'evaluation', 'getReport', 'One evaluation report', 'read'),
  route('GET', '/models', 'registry', 'listModels', 'Models', 'read'),
  route('GET', '/models/:name', 'registry', 'getModel', 'One model', 'read'),
  route('GET', '/models/:model/versions', 'registry', 'listModelVersions', 'Versions of a model', 'read'),
  route(
    'GET',
    '/models/:model/versions/:version',
    'registry',
    'getModelVersion',
    'One model version',
    'read',
  ),
  route(
    'POST',
    '/models/:model/versions/:version/approve',
    'registry',
    'approveModelVersion',
    'Approve',
    'approve',
  ),
  route(
    'POST',
    '/models/:model/versions/:version/reject',
    'registry',
    'rejectModelVersion',
    'Reject',
    'approve',
  ),
  route(
    'POST',
    '/models/:model/versions/:version/archive',
    'registry',
    'archiveModelVersion',
    'Archive',
    'approve',
  ),
  route(
    'POST',
    '/models/:model/imports',
    'registry',
    'importModel',
    'Import a model that MLflow saved',
    'run',
  ),
  route('GET', '/model-imports/:id', 'registry', 'getModelImport', 'How an import of a model stands', 'read'),
  route(
    'PUT',
    '/models/:model/aliases/:alias',
    'registry',
    'setAlias',
    'Move an alias, if it is where you think',
    'approve',
  ),
  route(
    'GET',
    '/models/:model/aliases/:alias',
    'registry',
    'resolveAlias',
    'What an alias points to, now or `at`',
    'read',
  ),
  route(
    'GET',
    '/models/:model/alias-history',
    'registry',
    'listAliasHistory',
    'History of the aliases',
    'read',
  ),
  route('GET', '/models/:model/policy', 'registry', 'getPolicy', 'Promotion policy of a model', 'read'),
  route('PUT', '/models/:model/policy', 'registry', 'setPolicy', 'Change the promotion policy', 'administer'),
  route('GET', '/lineage', 'registry', 'getLineage', 'Lineage from a node, up- or downstream', 'read'),
  route('GET', '/audit', 'registry', 'listAuditRecords', 'Audit log', 'read'),
  route('GET', '/audit/verify', 'registry', 'verifyAudit', 'Verify the chain of the audit log', 'read'),
  route('POST', '/endpoints', 'deployment', 'deploy', 'Deploy a model version to an endpoint', 'deploy'),
  route('GET', '/endpoints', 'deployment', 'listEndpoints', 'Endpoints', 'read'),
  route('GET', '/endpoints/:name', 'deployment', 'getEndpoint', 'One endpoint', 'read'),
  route('DELETE', '/endpoints/:name', 'deployment', 'deleteEndpoint', 'Delete an endpoint', 'deploy'),
  route(
    'GET',
    '/endpoints/:endpoint/revisions',
    'deployment',
    'listRevisions',
    'Revisions of an endpoint',
    'read',
  ),
  route(
    'POST',
    '/endpoints/:endpoint/promote',
    'deployment',
    'promote',
    'Give the candidate its next share',
    'deploy',
  ),
  route(
    'POST',
    '/endpoints/:endpoint/rollback',
    'deployment',
    'rollback',
    'Back to what served before',
    'deploy',
  ),
  route('GET', '/monitors', 'monitoring', 'listMonitors', 'Monitors', 'read'),
  route('GET', '/monitors/:endpoint', 'monitoring', 'getMonitor', 'Monitor of an endpoint', 'read'),
  route(
    'POST',
    '/monitors/:endpoint/mute',
    'monitoring',
    'muteMonitor',
    'Mute a monitor for a time',
    'deploy',
  ),
  route(
    'POST',
    '/monitors/:endpoint/labels',
    'monitoring',
    'submitLabels',
    'Ground truth for predictions',
    'predict',
  ),
  route('GET', '/predictions/:id', 'monitoring', 'getPrediction', 'One prediction, while it is kept', 'read'),
  route('GET', '/monitors/:endpoint/windows', 'monitoring', 'listWindows', 'Windows, newest first', 'read'),
  route('GET', '/windows', 'monitoring', 'getWindow', 'One window with its drift report', 'read'),
  route('GET', '/alerts', 'monitoring', 'listAlerts', 'Alerts, newest first', 'read'),
  route(
    'POST',
    '/alerts/:id/acknowledge',
    'monitoring',
    'acknowledgeAlert',
    'Acknowledge an alert',
    'deploy',
  ),
  route(
    'POST',
    '/webhooks',
    'bridge',
    'createWebhook',
    'Create a webhook; the answer has its secret',
    'administer',
  ),
  route('GET', '/webhooks', 'bridge', 'listWebhooks', 'Webhooks', 'administer'),
  route('GET', '/webhooks/:id', 'bridge', 'getWebhook', 'One webhook', 'administer'),
  route('PUT', '/webhooks/:id', 'bridge', 'updateWebhook', 'Change, pause or resume a webhook', 'administer'),
  route('DELETE', '/webhooks/:id', 'bridge', 'deleteWebhook', 'Delete a webhook', 'administer'),
  route(
    'POST',
    '/webhooks/:id/rotate-secret',
    'bridge',
    'rotateWebhookSecret',
    'Give a webhook a new secret',
    'administer',
  ),
  route(
    'POST',
    '/webhooks/:id/test',
    'bridge',
    'testWebhook',
    'Send a test event to a webhook',
    'administer',
  ),
  route('POST', '/webhooks/:webhookId/redeliver', 'bridge', 'redeliver', 'Deliver again', 'administer'),
  route(
    'GET',
    '/webhook-deliveries',
    'bridge',
    'listDeliveries',
    'Deliveries to webhooks, newest first',
    'administer',
  ),
  route('GET', '/bridge/kafka', 'bridge', 'getKafkaState', 'What is forwarded to Kafka, and how far', 'read'),
  route(
    'POST',
    '/tokens',
    'gateway',
    'createToken',
    'Create an API token; the answer has its secret',
    'administer',
  ),
  route('GET', '/tokens', 'gateway', 'listTokens', 'API tokens', 'administer'),
  route('POST', '/tokens/:id/revoke', 'gateway', 'revokeToken', 'Revoke an API token', 'administer'),
  ...(['pipeline', 'registry', 'deployment', 'monitoring'] as const).flatMap((service) => [
    route(
      'GET',
      `/reactions/${service}`,
      service,
      'listReactions',
      `Reactions of the ${service} service`,
      'read',
    ),
    route(
      'PUT',
      `/reactions/${service}/:name`,
      service,
      'setReaction',
      'Switch a reaction on or off',
      'administer',
    ),
  ]),
];

/** Names of the path's parameters. */
export const pathParameters = (path: string): readonly string[] =>
  [...path.matchAll(/(?<=\/):([a-zA-Z]+)/g)].map((match) => match[1] ?? '');

const byRpc = new Map(rpcRoutes.map((item) => [`${item.service}.${item.rpc}`, item]));

/** The route that answers an RPC, if the REST API offers it. */
export const routeOf = (service: string, rpc: string): RpcRoute | undefined => byRpc.get(`${service}.${rpc}`);
