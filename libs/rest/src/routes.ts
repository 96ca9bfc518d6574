/** Services that the REST API reaches. */
export type ApiService =
  | 'ingest'
  | 'training'
  | 'evaluation'
  | 'registry'
  | 'deployment'
  | 'monitoring'
  | 'pipeline'
  | 'bridge';

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
}

const route = (
  method: RpcRoute['method'],
  path: string,
  service: RpcRoute['service'],
  rpc: string,
  summary: string,
): RpcRoute => ({ method, path, service, rpc, summary });

/** The REST API, apart from blobs, events, traces, dead letters and predictions, which are not RPCs. */
export const rpcRoutes: readonly RpcRoute[] = [
  route('PUT', '/projects', 'pipeline', 'pushProject', "Remember a project's latest snapshot"),
  route('GET', '/projects', 'pipeline', 'listProjects', 'Projects'),
  route('POST', '/runs:plan', 'pipeline', 'planRun', 'Resolve a recipe without running it'),
  route('POST', '/runs', 'pipeline', 'submitRun', 'Run a recipe'),
  route('GET', '/runs', 'pipeline', 'listRuns', 'Pipeline runs, newest first'),
  route('GET', '/runs/:id', 'pipeline', 'getRun', 'One pipeline run'),
  route('POST', '/runs/:id/cancel', 'pipeline', 'cancelRun', 'Give a run up'),
  route('POST', '/runs/:id/resume', 'pipeline', 'resumeRun', 'Continue a run from the step where it ended'),
  route('POST', '/triggers', 'pipeline', 'createTrigger', 'Create or replace a trigger'),
  route('GET', '/triggers', 'pipeline', 'listTriggers', 'Triggers'),
  route('DELETE', '/triggers/:name', 'pipeline', 'deleteTrigger', 'Delete a trigger'),
  route(
    'POST',
    '/garbage-collections',
    'pipeline',
    'startGarbageCollection',
    'Collect garbage, or look for it',
  ),
  route(
    'GET',
    '/garbage-collections',
    'pipeline',
    'listGarbageCollections',
    'Collections of garbage, newest first',
  ),
  route('GET', '/garbage-collections/:id', 'pipeline', 'getGarbageCollection', 'One collection of garbage'),
  route('POST', '/holds', 'pipeline', 'placeHold', 'Keep a blob, a run or a model version'),
  route('GET', '/holds', 'pipeline', 'listHolds', 'What is held'),
  route('POST', '/holds:release', 'pipeline', 'releaseHold', 'Release a hold'),
  route('GET', '/datasets', 'ingest', 'listDatasets', 'Datasets'),
  route('GET', '/datasets/:dataset/versions', 'ingest', 'listDatasetVersions', 'Versions of a dataset'),
  route('GET', '/dataset-versions/:id', 'ingest', 'getDatasetVersion', 'One dataset version'),
  route('GET', '/experiments', 'training', 'listExperiments', 'Experiments'),
  route('GET', '/training-runs', 'training', 'searchRuns', 'Search training runs'),
  route('POST', '/training-runs:compare', 'training', 'compareRuns', 'Training runs side by side'),
  route('GET', '/training-runs/:id', 'training', 'getRun', 'One training run'),
  route('POST', '/training-runs/:runId/log', 'training', 'logBatch', 'Log metrics, params and tags'),
  route('GET', '/training-runs/:runId/metrics/:key', 'training', 'getMetricHistory', 'History of a metric'),
  route('GET', '/evaluations', 'evaluation', 'listReports', 'Evaluation reports, newest first'),
  route('GET', '/evaluations/:id', 'evaluation', 'getReport', 'One evaluation report'),
  route('GET', '/models', 'registry', 'listModels', 'Models'),
  route('GET', '/models/:name', 'registry', 'getModel', 'One model'),
  route('GET', '/models/:model/versions', 'registry', 'listModelVersions', 'Versions of a model'),
  route('GET', '/models/:model/versions/:version', 'registry', 'getModelVersion', 'One model version'),
  route('POST', '/models/:model/versions/:version/approve', 'registry', 'approveModelVersion', 'Approve'),
  route('POST', '/models/:model/versions/:version/reject', 'registry', 'rejectModelVersion', 'Reject'),
  route('POST', '/models/:model/versions/:version/archive', 'registry', 'archiveModelVersion', 'Archive'),
  route(
    'PUT',
    '/models/:model/aliases/:alias',
    'registry',
    'setAlias',
    'Move an alias, if it is where you think',
  ),
  route(
    'GET',
    '/models/:model/aliases/:alias',
    'registry',
    'resolveAlias',
    'What an alias points to, now or `at`',
  ),
  route('GET', '/models/:model/alias-history', 'registry', 'listAliasHistory', 'History of the aliases'),
  route('GET', '/models/:model/policy', 'registry', 'getPolicy', 'Promotion policy of a model'),
  route('PUT', '/models/:model/policy', 'registry', 'setPolicy', 'Change the promotion policy'),
  route('GET', '/lineage', 'registry', 'getLineage', 'Lineage from a node, up- or downstream'),
  route('GET', '/audit', 'registry', 'listAuditRecords', 'Audit log'),
  route('GET', '/audit/verify', 'registry', 'verifyAudit', 'Verify the chain of the audit log'),
  route('POST', '/endpoints', 'deployment', 'deploy', 'Deploy a model version to an endpoint'),
  route('GET', '/endpoints', 'deployment', 'listEndpoints', 'Endpoints'),
  route('GET', '/endpoints/:name', 'deployment', 'getEndpoint', 'One endpoint'),
  route('DELETE', '/endpoints/:name', 'deployment', 'deleteEndpoint', 'Delete an endpoint'),
  route('GET', '/endpoints/:endpoint/revisions', 'deployment', 'listRevisions', 'Revisions of an endpoint'),
  route('POST', '/endpoints/:endpoint/promote', 'deployment', 'promote', 'Give the candidate its next share'),
  route('POST', '/endpoints/:endpoint/rollback', 'deployment', 'rollback', 'Back to what served before'),
  route('GET', '/monitors', 'monitoring', 'listMonitors', 'Monitors'),
  route('GET', '/monitors/:endpoint', 'monitoring', 'getMonitor', 'Monitor of an endpoint'),
  route('POST', '/monitors/:endpoint/mute', 'monitoring', 'muteMonitor', 'Mute a monitor for a time'),
  route('POST', '/monitors/:endpoint/labels', 'monitoring', 'submitLabels', 'Ground truth for predictions'),
  route('GET', '/predictions/:id', 'monitoring', 'getPrediction', 'One prediction, while it is kept'),
  route('GET', '/monitors/:endpoint/windows', 'monitoring', 'listWindows', 'Windows, newest first'),
  route('GET', '/windows', 'monitoring', 'getWindow', 'One window with its drift report'),
  route('GET', '/alerts', 'monitoring', 'listAlerts', 'Alerts, newest first'),
  route('POST', '/alerts/:id/acknowledge', 'monitoring', 'acknowledgeAlert', 'Acknowledge an alert'),
  route('POST', '/webhooks', 'bridge', 'createWebhook', 'Create a webhook; the answer has its secret'),
  route('GET', '/webhooks', 'bridge', 'listWebhooks', 'Webhooks'),
  route('GET', '/webhooks/:id', 'bridge', 'getWebhook', 'One webhook'),
  route('PUT', '/webhooks/:id', 'bridge', 'updateWebhook', 'Change, pause or resume a webhook'),
  route('DELETE', '/webhooks/:id', 'bridge', 'deleteWebhook', 'Delete a webhook'),
  route(
    'POST',
    '/webhooks/:id/rotate-secret',
    'bridge',
    'rotateWebhookSecret',
    'Give a webhook a new secret',
  ),
  route('POST', '/webhooks/:id/test', 'bridge', 'testWebhook', 'Send a test event to a webhook'),
  route('POST', '/webhooks/:webhookId/redeliver', 'bridge', 'redeliver', 'Deliver again'),
  route('GET', '/webhook-deliveries', 'bridge', 'listDeliveries', 'Deliveries to webhooks, newest first'),
  route('GET', '/bridge/kafka', 'bridge', 'getKafkaState', 'What is forwarded to Kafka, and how far'),
  ...(['pipeline', 'registry', 'deployment', 'monitoring'] as const).flatMap((service) => [
    route('GET', `/reactions/${service}`, service, 'listReactions', `Reactions of the ${service} service`),
    route('PUT', `/reactions/${service}/:name`, service, 'setReaction', 'Switch a reaction on or off'),
  ]),
];

/** Names of the path's parameters. */
export const pathParameters = (path: string): readonly string[] =>
  [...path.matchAll(/(?<=\/):([a-zA-Z]+)/g)].map((match) => match[1] ?? '');

const byRpc = new Map(rpcRoutes.map((item) => [`${item.service}.${item.rpc}`, item]));

/** The route that answers an RPC, if the REST API offers it. */
export const routeOf = (service: string, rpc: string): RpcRoute | undefined => byRpc.get(`${service}.${rpc}`);
