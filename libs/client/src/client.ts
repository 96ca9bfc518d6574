import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Revision } from '@millrace/contracts/deployment';
import type { Report } from '@millrace/contracts/evaluation';
import type { DatasetVersion } from '@millrace/contracts/ingest';
import type { Prediction } from '@millrace/contracts/monitoring';
import type { Run } from '@millrace/contracts/pipeline';
import type { ModelVersion } from '@millrace/contracts/registry';
import type { StepProgress } from '@millrace/contracts/step';
import type { Run as TrainingRun } from '@millrace/contracts/training';
import { Internal, NotFound, Unavailable } from '@millrace/errors';
import type { Diagnosis } from '@millrace/installation';
import type { RpcCodecs, serviceDefinitions } from '@millrace/rest';
import { splitRequest } from '@millrace/rest/request-message';
import { type ApiService, apiPrefix, type RpcRoute, rpcRoutes } from '@millrace/rest/routes';
import type { SpanRecord } from '@millrace/telemetry';
import { type ServerSentEvent, serverSentEvents } from './event-source.ts';
import { type ClientOptions, Transport, transportError } from './transport.ts';

/** Every field optional, all the way down; what is left out has its proto default. */
export type DeepPartial<T> = T extends readonly (infer Item)[]
  ? readonly DeepPartial<Item>[]
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> }
    : T;

/** One function per RPC of a service, over REST. */
export type RestService<S> = {
  readonly [K in keyof S]: S[K] extends {
    requestSerialize: (value: infer Request) => Buffer;
    responseDeserialize: (bytes: Buffer) => infer Response;
  }
    ? (request?: DeepPartial<Request>) => Promise<Response>
    : never;
};

export type RestServices = { readonly [K in ApiService]: RestService<(typeof serviceDefinitions)[K]> };

/** A lifecycle event as the gateway streams it. */
export interface StreamedEvent {
  readonly streamSequence: number;
  readonly subject: string;
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly entity: string;
  readonly key: string;
  readonly sequence: number;
  readonly time: string;
  readonly data: unknown;
  readonly traceparent?: string;
}

export interface EventsOptions {
  /** Subject filters: `millrace.evt.registry.>`. */
  readonly filter?: readonly string[];
  /** `all`, `new`, a stream sequence or an ISO 8601 time. */
  readonly since?: string;
  readonly key?: string;
  /** `false`: end after the last event there is. Default `true`. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

export type RunUpdate =
  | { readonly kind: 'run'; readonly run: Run }
  | { readonly kind: 'progress'; readonly progress: StepProgress };

/** A prediction and everything behind it. What its owner does not know any more is absent. */
export interface PredictionOrigin {
  readonly prediction: Prediction;
  readonly revision?: Revision;
  readonly modelVersion?: ModelVersion;
  /** The evaluation that the gates were decided on. */
  readonly report?: Report;
  readonly pipelineRun?: Run;
  readonly trainingRun?: TrainingRun;
  readonly datasetVersion?: DatasetVersion;
}

export interface Trace {
  readonly traceId: string;
  readonly spans: readonly SpanRecord[];
}

export interface ShownDeadLetter {
  readonly sequence: number;
  readonly subject: string;
  readonly consumer: string;
  readonly reason: string;
  readonly attempts: number;
  readonly time: string;
  readonly history: readonly { readonly time: string; readonly reason: string }[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly replayedAt?: string;
}

export interface ServiceStatus {
  readonly ready: boolean;
  readonly problems: Readonly<Record<string, string>>;
}

/** A typed client of a Millrace gateway. Every call throws errors of the taxonomy. */
export interface MillraceClient extends RestServices {
  readonly url: string;
  /** Size of a blob, `undefined` when the gateway does not have it. */
  blobSize(digest: string): Promise<number | undefined>;
  /** Uploads a local file under the digest that the caller computed of it. */
  uploadFile(digest: string, path: string): Promise<void>;
  uploadBytes(digest: string, bytes: Uint8Array): Promise<void>;
  downloadBlob(digest: string): Promise<Readable>;
  /** Lifecycle events, live or from the past; reconnects and goes on where it was. Ends by its signal. */
  events(options?: EventsOptions): AsyncIterable<StreamedEvent>;
  /** The run whenever it changes, and its steps' progress; ends with the run. */
  watchRun(id: string, signal?: AbortSignal): AsyncIterable<RunUpdate>;
  runTrace(pipelineRunId: string): Promise<Trace>;
  trace(traceId: string): Promise<Trace>;
  /** What a prediction came from; throws `NotFound` when it is not kept (any more). */
  predictionOrigin(predictionId: string): Promise<PredictionOrigin>;
  status(): Promise<Readonly<Record<string, ServiceStatus>>>;
  /** What the whole installation stands on. Only for admins. */
  diagnosis(): Promise<Diagnosis>;
  /** A prediction in MLflow's `/invocations` form; `body` as that protocol defines it. */
  invoke(endpoint: string, body: unknown): Promise<unknown>;
  deadLetters(limit?: number): Promise<readonly ShownDeadLetter[]>;
  deadLetter(sequence: number): Promise<ShownDeadLetter>;
  replayDeadLetter(sequence: number): Promise<ShownDeadLetter>;
  close(): Promise<void>;
}

/** Connects lazily: the first call tells whether a gateway answers. */
export const createClient = (options: ClientOptions): MillraceClient => {
  const transport = new Transport(options);
  const services = Object.fromEntries(
    Object.entries(Object.groupBy(rpcRoutes, ({ service }) => service)).map(([name, routes]) => [
      name,
      restService(transport, routes),
    ]),
  ) as unknown as RestServices;
  return { ...services, ...blobCalls(transport), ...watchCalls(transport), ...operationCalls(transport) };
};

const restService = (transport: Transport, routes: readonly RpcRoute[]) =>
  Object.fromEntries(
    routes.map((route) => [route.rpc, (request: object = {}) => callRpc(transport, route, request)]),
  );

/** Messages of a service's RPCs. Most programs call one or two services, and loading the messages of all takes a while. */
const rpcsOf: { readonly [K in ApiService]: () => Promise<unknown> } = {
  ingest: async () => (await import('@millrace/contracts/ingest')).ingestRpcs,
  training: async () => (await import('@millrace/contracts/training')).trainingRpcs,
  evaluation: async () => (await import('@millrace/contracts/evaluation')).evaluationRpcs,
  registry: async () => (await import('@millrace/contracts/registry')).registryRpcs,
  deployment: async () => (await import('@millrace/contracts/deployment')).deploymentRpcs,
  monitoring: async () => (await import('@millrace/contracts/monitoring')).monitoringRpcs,
  pipeline: async () => (await import('@millrace/contracts/pipeline')).pipelineRpcs,
  bridge: async () => (await import('@millrace/contracts/bridge')).bridgeRpcs,
  gateway: async () => (await import('@millrace/contracts/gateway')).gatewayRpcs,
};

const callRpc = async (transport: Transport, route: RpcRoute, content: object) => {
  const codecs = ((await rpcsOf[route.service]()) as RpcCodecs)[route.rpc];
  if (codecs === undefined) throw new Internal(`no RPC ${route.service}.${route.rpc} in the contracts`);
  const message = codecs.request.toJSON(codecs.request.fromPartial(content));
  const { path, query, body } = splitRequest(route, message as Record<string, unknown>);
  const answer = await transport.json({
    method: route.method,
    path,
    query,
    ...(body === undefined ? {} : { json: body }),
  });
  return codecs.response.fromJSON(answer);
};

const blobPath = (digest: string) => `${apiPrefix}/blobs/${encodeURIComponent(digest)}`;

/** Bytes of a file that are read at once. */
const uploadedTogether = 256 * 1024;

const blobCalls = (transport: Transport) => {
  const headers = { 'content-type': 'application/octet-stream' };
  return {
    blobSize: async (digest: string) => {
      try {
        const answer = await transport.send({ method: 'HEAD', path: blobPath(digest) });
        answer.resume();
        return Number(answer.headers['content-length']);
      } catch (thrown) {
        if (thrown instanceof NotFound) return undefined;
        throw thrown;
      }
    },
    uploadFile: async (digest: string, path: string) => {
      const body = createReadStream(path, { highWaterMark: uploadedTogether });
      await transport.json({ method: 'PUT', path: blobPath(digest), body, headers });
    },
    uploadBytes: async (digest: string, bytes: Uint8Array) => {
      await transport.json({ method: 'PUT', path: blobPath(digest), body: Buffer.from(bytes), headers });
    },
    downloadBlob: (digest: string) =>
      transport.send({ method: 'GET', path: blobPath(digest), streaming: true }),
  };
};

/** What is read of an event in the structured form of CloudEvents. */
interface CloudEventJson {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string;
  readonly time: string;
  readonly sequence: string;
  readonly millraceentity: string;
  readonly traceparent?: string;
  readonly data: unknown;
}

const streamedEvent = (
  { id, type, source, subject, time, sequence, millraceentity, traceparent, data }: CloudEventJson,
  streamSequence: number,
): StreamedEvent => ({
  streamSequence,
  subject: type.replace(/^millrace\./, 'millrace.evt.'),
  id,
  type,
  source,
  entity: millraceentity,
  key: subject,
  sequence: Number(sequence),
  time,
  data,
  ...(traceparent === undefined ? {} : { traceparent }),
});

/** Milliseconds before a broken stream is opened again: doubled from try to try, up to the most. */
const reconnectMs = { first: 500, most: 8_000 };

/** Spread, so that the many who lost the same gateway do not come back as one. */
const reconnectDelayMs = (failures: number): number =>
  Math.min(reconnectMs.most, reconnectMs.first * 2 ** failures) * (0.5 + Math.random());

const watchCalls = (transport: Transport) => ({
  async *events({
    filter,
    since = 'new',
    key,
    follow,
    signal,
  }: EventsOptions = {}): AsyncGenerator<StreamedEvent> {
    let place = since;
    let connected = false;
    let failures = 0;
    while (!signal?.aborted) {
      try {
        const path = `${apiPrefix}/events`;
        const opening = new Date().toISOString();
        for await (const event of stream(
          transport,
          path,
          { filter, since: place, key, follow },
          signal,
          () => {
            connected = true;
            failures = 0;
            // What comes while a broken connection is opened again is new too.
            if (place === 'new') place = opening;
          },
        )) {
          if (event.event === 'end') return;
          place = event.id ?? place;
          yield streamedEvent(JSON.parse(event.data) as CloudEventJson, Number(place));
        }
      } catch (thrown) {
        if (signal?.aborted) return;
        // Before the first answer an error is the caller's to see; later the gateway may just be restarting.
        if (!connected || !(thrown instanceof Unavailable)) throw thrown;
      }
      await new Promise((resolve) => setTimeout(resolve, reconnectDelayMs(failures)));
      failures += 1;
    }
  },

  async *watchRun(id: string, signal?: AbortSignal): AsyncGenerator<RunUpdate> {
    const path = `${apiPrefix}/runs/${encodeURIComponent(id)}/watch`;
    const [{ Run }, { StepProgress }] = await Promise.all([
      import('@millrace/contracts/pipeline'),
      import('@millrace/contracts/step'),
    ]);
    for await (const { event, data } of stream(transport, path, {}, signal)) {
      const json: unknown = JSON.parse(data);
      if (event === 'run') yield { kind: 'run', run: Run.fromJSON(json) };
      else if (event === 'progress') yield { kind: 'progress', progress: StepProgress.fromJSON(json) };
    }
  },
});

/** Server-sent events of one connection. Throws `Unavailable` when it breaks, or the gateway says that it does. */
async function* stream(
  transport: Transport,
  path: string,
  query: Readonly<Record<string, unknown>>,
  signal: AbortSignal | undefined,
  onOpen: () => void = () => {},
): AsyncGenerator<ServerSentEvent> {
  const answer = await transport.send({
    method: 'GET',
    path,
    query,
    streaming: true,
    ...(signal === undefined ? {} : { signal }),
  });
  onOpen();
  try {
    for await (const event of serverSentEvents(answer)) {
      if (event.event === 'error') throw new Unavailable(`the gateway ended the stream: ${event.data}`);
      yield event;
    }
  } catch (thrown) {
    throw signal?.aborted === true ? thrown : transportError(thrown, transport.url);
  }
}

const operationCalls = (transport: Transport) => {
  const get = (path: string, query = {}) =>
    transport.json({ method: 'GET', path: `${apiPrefix}${path}`, query });
  return {
    url: transport.url,
    runTrace: async (id: string) => (await get(`/runs/${encodeURIComponent(id)}/trace`)) as Trace,
    trace: async (traceId: string) => (await get(`/traces/${encodeURIComponent(traceId)}`)) as Trace,
    predictionOrigin: async (id: string) =>
      (await get(`/predictions/${encodeURIComponent(id)}/origin`)) as PredictionOrigin,
    status: async () => ((await get('/status')) as { services: Record<string, ServiceStatus> }).services,
    diagnosis: async () => (await get('/diagnosis')) as Diagnosis,
    invoke: (endpoint: string, body: unknown) =>
      transport.json({
        method: 'POST',
        path: `/endpoints/${encodeURIComponent(endpoint)}/invocations`,
        json: body,
      }),
    deadLetters: async (limit?: number) =>
      ((await get('/dead-letters', { limit })) as { deadLetters: ShownDeadLetter[] }).deadLetters,
    deadLetter: async (sequence: number) =>
      ((await get(`/dead-letters/${sequence}`)) as { deadLetter: ShownDeadLetter }).deadLetter,
    replayDeadLetter: async (sequence: number) =>
      (
        (await transport.json({ method: 'POST', path: `${apiPrefix}/dead-letters/${sequence}/replay` })) as {
          deadLetter: ShownDeadLetter;
        }
      ).deadLetter,
    close: () => transport.close(),
  };
};
