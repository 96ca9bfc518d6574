import { errorResponse } from './error-schema.ts';

const answer = (contentType: string, description: string) => ({
  200: { description, content: { [contentType]: {} } },
  default: errorResponse,
});

const parameter = (name: string, place: 'path' | 'query' | 'header', description: string) => ({
  name,
  in: place,
  required: place === 'path',
  description,
  schema: { type: 'string' },
});

const digest = parameter('digest', 'path', '`sha256:<64 hex digits>`');

const endpoint = parameter('endpoint', 'path', 'Name of the endpoint');
const unit = parameter('millrace-unit', 'header', 'Requests of a unit (a user, a device) go to one revision');

/** An operation of the data plane, whose paths are those of its protocols and begin at the root. */
const predictionOperation = (
  method: 'get' | 'post',
  operationId: string,
  summary: string,
  ...parameters: readonly object[]
) => ({
  servers: [{ url: '/' }],
  [method]: {
    operationId,
    summary,
    tags: ['predictions'],
    parameters,
    ...(method === 'post' ? { requestBody: { required: true, content: { 'application/json': {} } } } : {}),
    responses: answer('application/json', 'As the protocol defines it.'),
  },
});

/** OpenAPI of the routes that are not RPCs. Paths relative to `/api/v1` unless a server is given. */
export const ownOperations: Readonly<Record<string, Record<string, unknown>>> = {
  '/blobs/{digest}': {
    head: {
      operationId: 'blobs.has',
      summary: 'Whether a blob is stored; `content-length` is its size',
      tags: ['blobs'],
      parameters: [digest],
      responses: { 200: { description: 'It is.' }, 404: { description: 'It is not.' } },
    },
    get: {
      operationId: 'blobs.get',
      summary: 'Content of a blob, verified against its digest',
      tags: ['blobs'],
      parameters: [digest],
      responses: answer('application/octet-stream', 'The content.'),
    },
    put: {
      operationId: 'blobs.put',
      summary: 'Store a blob; refused when the content has another digest',
      tags: ['blobs'],
      parameters: [digest],
      requestBody: { content: { 'application/octet-stream': {} } },
      responses: answer('application/json', '`{digest, size}`'),
    },
  },
  '/events': {
    get: {
      operationId: 'events.stream',
      summary: 'Lifecycle events as server-sent events; resumes by `Last-Event-ID`',
      tags: ['events'],
      parameters: [
        parameter('filter', 'query', 'Subject filter: `millrace.evt.registry.>`. Repeat it for several.'),
        parameter(
          'since',
          'query',
          '`all`, `new` (default), a stream sequence to go on after, or an ISO 8601 time',
        ),
        parameter('key', 'query', 'Only events whose entity key is this'),
        parameter('follow', 'query', '`false`: end, with an event `end`, after the last event there is'),
        parameter('last-event-id', 'header', 'The last stream sequence seen; wins over `since`'),
      ],
      responses: answer(
        'text/event-stream',
        'One event per fact: `event` is its type, `id` the stream sequence, `data` a CloudEvent in JSON.',
      ),
    },
  },
  '/runs/{id}/watch': {
    get: {
      operationId: 'runs.watch',
      summary: 'A pipeline run as it changes, and the progress of its steps, until it ends',
      tags: ['pipeline'],
      parameters: [parameter('id', 'path', 'Run id')],
      responses: answer('text/event-stream', 'Events `run` (the whole run) and `progress`.'),
    },
  },
  '/runs/{id}/trace': {
    get: {
      operationId: 'runs.trace',
      summary: "Spans of a pipeline run's trace",
      tags: ['traces'],
      parameters: [parameter('id', 'path', 'Run id')],
      responses: answer('application/json', '`{traceId, spans}`'),
    },
  },
  '/traces/{traceId}': {
    get: {
      operationId: 'traces.get',
      summary: 'Spans of a trace',
      tags: ['traces'],
      parameters: [parameter('traceId', 'path', '32 hex digits')],
      responses: answer('application/json', '`{traceId, spans}`'),
    },
  },
  '/predictions/{id}/origin': {
    get: {
      operationId: 'predictions.origin',
      summary:
        'What a kept prediction came from: revision, model version, approvals, gates, runs, data, code',
      tags: ['predictions'],
      parameters: [parameter('id', 'path', 'Id of the prediction, `pred_…`')],
      responses: answer(
        'application/json',
        '`{prediction, revision, modelVersion, report, pipelineRun, trainingRun, datasetVersion}`',
      ),
    },
  },
  '/dead-letters': {
    get: {
      operationId: 'deadLetters.list',
      summary: 'Messages that could not be handled, newest first',
      tags: ['dead letters'],
      parameters: [parameter('limit', 'query', '1 to 1000, default 100')],
      responses: answer('application/json', '`{deadLetters}`'),
    },
  },
  '/dead-letters/{sequence}': {
    get: {
      operationId: 'deadLetters.show',
      summary: 'One dead letter with its cause and history',
      tags: ['dead letters'],
      parameters: [parameter('sequence', 'path', 'Sequence in the dead-letter stream')],
      responses: answer('application/json', '`{deadLetter}`'),
    },
  },
  '/dead-letters/{sequence}/replay': {
    post: {
      operationId: 'deadLetters.replay',
      summary: 'Hand a dead letter to its consumer again',
      tags: ['dead letters'],
      parameters: [parameter('sequence', 'path', 'Sequence in the dead-letter stream')],
      responses: answer('application/json', '`{deadLetter}`'),
    },
  },
  '/status': {
    get: {
      operationId: 'status',
      summary: 'Readiness of every service',
      tags: ['operations'],
      responses: answer('application/json', '`{services: {name: {ready, problems}}}`'),
    },
  },
  '/diagnosis': {
    get: {
      operationId: 'diagnosis',
      summary: 'What every service stands on, streams and consumers, and whose clock differs',
      tags: ['operations'],
      responses: answer('application/json', '`{time, services, broker, access}`'),
    },
  },
  '/openapi.json': {
    get: {
      operationId: 'openapi',
      summary: 'This document',
      tags: ['operations'],
      responses: answer('application/json', 'OpenAPI 3.1'),
    },
  },
  '/v2': predictionOperation('get', 'v2.server', 'Metadata of the server (Open Inference Protocol v2)'),
  '/v2/health/live': predictionOperation('get', 'v2.live', 'Whether the data plane lives'),
  '/v2/health/ready': predictionOperation('get', 'v2.ready', 'Whether the data plane is ready'),
  '/v2/models/{endpoint}': predictionOperation(
    'get',
    'v2.model',
    'Inputs and outputs of an endpoint',
    endpoint,
  ),
  '/v2/models/{endpoint}/ready': predictionOperation('get', 'v2.modelReady', 'Whether it answers', endpoint),
  '/v2/models/{endpoint}/infer': predictionOperation(
    'post',
    'v2.infer',
    'Predict, tensors in and out',
    endpoint,
    unit,
  ),
  '/endpoints/{endpoint}/ping': predictionOperation('get', 'endpoints.ping', 'Whether it answers', endpoint),
  '/endpoints/{endpoint}/invocations': predictionOperation(
    'post',
    'endpoints.invoke',
    "Predict, in the JSON forms of MLflow's scoring server",
    endpoint,
    unit,
  ),
};
