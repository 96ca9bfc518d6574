import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BlobStore, openFsBlobStore, parseDigest } from '@millrace/blobs';
import { type TestBroker, testBroker } from '@millrace/broker';
import { type Bus, connectBus, type Running, startRelay, type TailedEvent } from '@millrace/bus';
import { DatasetServiceService } from '@millrace/contracts/ingest';
import { pipelineEvents } from '@millrace/contracts/pipeline';
import { type Artifact, StepCommand, StepFailure, StepSuccess } from '@millrace/contracts/step';
import { buildManifest, encodeManifest } from '@millrace/recipe';
import {
  eventMessage,
  newId,
  PeerChannel,
  type RpcClient,
  type RunningService,
  readSettings,
  startService,
} from '@millrace/service-kit';
import { type DocumentStore, type Json, openSqliteStore } from '@millrace/store';
import { readTable, type Table } from '@millrace/tabular';
import { ingest } from '../src/service.ts';

export interface StepRun {
  /** `success` or `failure` is set. */
  readonly success?: StepSuccess;
  readonly failure?: StepFailure;
}

export interface StepOptions {
  readonly config: Record<string, unknown>;
  /** Project files by path. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly recipe?: StepCommand['recipe'] | Partial<NonNullable<StepCommand['recipe']>>;
  readonly inputs?: readonly Artifact[];
  readonly pipelineRunId?: string;
  readonly attempt?: number;
}

/** The service as it runs, with a broker, a store and someone who plays the pipeline. */
export interface IngestFixture {
  readonly broker: TestBroker;
  readonly blobs: BlobStore;
  readonly dataDir: string;
  readonly datasets: RpcClient<typeof DatasetServiceService>;
  /** Sends the command as the pipeline would. `messageId` other than the default sends it again. */
  send(step: string, options: StepOptions, messageId?: string): Promise<string>;
  /** The result event of a command's key. */
  result(key: string): Promise<StepRun>;
  run(step: string, options: StepOptions): Promise<StepRun>;
  cancel(pipelineRunId: string): Promise<void>;
  /** Resolves when a step of the run tells of progress with this text. */
  progress(pipelineRunId: string, text: string): Promise<void>;
  /** Payloads of the first events of a type, once there are so many. */
  events(type: string, count: number): Promise<unknown[]>;
  /** All events of this service that the stream holds. */
  eventsSoFar(): Promise<TailedEvent[]>;
  table(digest: string): Promise<Table>;
  stop(): Promise<void>;
}

/** How the service runs: in this process, or in one of its own that can be killed. */
export type StartService = (
  env: Record<string, string>,
) => Promise<Pick<RunningService, 'grpcPort' | 'stop'>>;

const inProcess: StartService = (env) => startService(ingest, readSettings('ingest', env), env);

export const startIngest = async (
  env: Record<string, string> = {},
  start: StartService = inProcess,
): Promise<IngestFixture> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-ingest-'));
  const broker = await testBroker();
  const variables = {
    MILLRACE_DATA_DIR: dataDir,
    MILLRACE_GRPC_PORT: '0',
    MILLRACE_HTTP_PORT: '0',
    MILLRACE_LOG_LEVEL: 'fatal',
    NATS_URL: broker.url,
    ...env,
  };
  const service = await start(variables);
  const blobs = await openFsBlobStore({ directory: join(dataDir, 'blobs') });
  const store = await openSqliteStore({ path: ':memory:', service: 'pipeline' });
  const bus = await connectBus({ url: broker.url, service: 'pipeline' });
  const relay = startRelay({ bus, outbox: store.outbox });
  const channel = new PeerChannel('ingest', () => `127.0.0.1:${service.grpcPort}`);
  const parts: Parts = { broker, service, blobs, store, bus, relay, channel, dataDir };
  return fixtureOf(parts);
};

interface Parts {
  readonly broker: TestBroker;
  readonly service: Pick<RunningService, 'grpcPort' | 'stop'>;
  readonly blobs: BlobStore;
  readonly store: DocumentStore;
  readonly bus: Bus;
  readonly relay: Running;
  readonly channel: PeerChannel;
  readonly dataDir: string;
}

const fixtureOf = (parts: Parts): IngestFixture => {
  const { broker, blobs, store, bus, channel, dataDir } = parts;
  const commands = store.collection<{ sent: number }>({ name: 'commands' });
  const send: IngestFixture['send'] = async (step, options, messageId) => {
    const command = await commandOf(blobs, step, options);
    const key = `${command.pipelineRunId}.${step}.${command.attempt}`;
    const message = {
      subject: `millrace.step.ingest.${step}`,
      type: 'millrace.step.v1.StepCommand',
      key,
      data: StepCommand.toJSON(command) as Json,
      id: messageId ?? key,
    };
    await commands.update(key, (current) => ({
      document: { sent: (current?.document.sent ?? 0) + 1 },
      messages: [message],
    }));
    return key;
  };
  const result = (key: string) => stepResult(bus, key);
  const runs = store.collection<{ cancelled: boolean }>({ name: 'runs' });
  const cancel = async (pipelineRunId: string) => {
    const message = eventMessage(pipelineEvents.runCancelRequested, pipelineRunId, {
      pipelineRunId,
      actor: undefined,
    });
    await runs.insert(pipelineRunId, { cancelled: true }, [message]);
  };
  return {
    broker,
    blobs,
    dataDir,
    datasets: channel.service(DatasetServiceService),
    send,
    result,
    run: async (step, options) => result(await send(step, options)),
    cancel,
    progress: (pipelineRunId, text) =>
      new Promise((resolve) => {
        const subject = `millrace.progress.${pipelineRunId}.>`;
        const watch = bus.subscribeProgress(subject, (json) => {
          if (!JSON.stringify(json).includes(text)) return;
          void watch.stop();
          resolve();
        });
      }),
    events: (type, count) => eventsOf(bus, type, count),
    eventsSoFar: async () => {
      // An event of our own marks the end: the stream keeps the order of publication.
      const marker = newId('marker');
      await cancel(marker);
      return eventsUntil(bus, marker);
    },
    table: async (digest) => {
      const path = join(dataDir, `${newId('table')}.parquet`);
      await blobs.materialize(parseDigest(digest), path);
      return readTable(path);
    },
    stop: () => stopAll(parts),
  };
};

const regression = {
  kind: 'regression/v1',
  task: 'regression',
  targetColumn: 'y',
  primaryMetric: 'root_mean_squared_error',
  seed: 42,
};

const commandOf = async (blobs: BlobStore, step: string, options: StepOptions): Promise<StepCommand> =>
  StepCommand.fromPartial({
    pipelineRunId: options.pipelineRunId ?? newId('run'),
    step,
    attempt: options.attempt ?? 1,
    project: { project: 'demo', manifestDigest: await snapshot(blobs, options.files ?? {}) },
    recipe: { ...regression, ...options.recipe },
    config: options.config,
    inputs: [...(options.inputs ?? [])],
    timeoutSeconds: 60,
  });

const snapshot = async (blobs: BlobStore, files: NonNullable<StepOptions['files']>): Promise<string> => {
  const entries = await Promise.all(
    Object.entries(files).map(async ([path, content]) => ({
      path,
      ...(await blobs.put(typeof content === 'string' ? Buffer.from(content) : content)),
    })),
  );
  return (await blobs.put(encodeManifest(buildManifest(entries)))).digest;
};

const stepResult = async (bus: Bus, key: string): Promise<StepRun> => {
  const filterSubjects = ['millrace.evt.ingest.step.>'];
  const end = new AbortController();
  for await (const event of bus.readEvents({ filterSubjects, since: 'all', signal: end.signal })) {
    if (event.key !== key) continue;
    end.abort();
    const { result } = event.data as { result: unknown };
    if (event.type.endsWith('succeeded.v1')) return { success: StepSuccess.fromJSON(result) };
    return { failure: StepFailure.fromJSON(result) };
  }
  throw new Error(`no result of ${key}`);
};

const eventsOf = async (bus: Bus, type: string, count: number): Promise<unknown[]> => {
  const found: unknown[] = [];
  const end = new AbortController();
  const subject = type.replace(/^millrace\./, 'millrace.evt.');
  for await (const event of bus.readEvents({ filterSubjects: [subject], since: 'all', signal: end.signal })) {
    found.push(event.data);
    if (found.length === count) end.abort();
  }
  return found;
};

const eventsUntil = async (bus: Bus, marker: string): Promise<TailedEvent[]> => {
  const found: TailedEvent[] = [];
  const end = new AbortController();
  for await (const event of bus.readEvents({ since: 'all', signal: end.signal })) {
    if (event.key === marker) end.abort();
    else found.push(event);
  }
  return found.filter(({ type }) => type.startsWith('millrace.ingest.'));
};

const stopAll = async ({ service, relay, bus, store, blobs, channel, broker, dataDir }: Parts) => {
  channel.close();
  await relay.stop();
  await bus.drain();
  await service.stop();
  await store.close();
  await blobs.close();
  await broker.stop();
  await rm(dataDir, { recursive: true, force: true });
};

/** The page of a step's card, failed or not. */
export const cardOf = async ({ blobs }: Pick<IngestFixture, 'blobs'>, run: StepRun): Promise<string> => {
  const outputs = (run.success ?? run.failure)?.outputs ?? [];
  const card = outputs.find(({ kind }) => kind === 'card');
  if (card?.mediaType !== 'text/html') throw new Error('no card');
  return new TextDecoder().decode(await blobs.read(parseDigest(card.digest), 16e6));
};

/** The output of that name. */
export const outputOf = (run: StepRun, name: string): Artifact => {
  const found = run.success?.outputs.find((artifact) => artifact.name === name);
  if (found === undefined) throw new Error(`no output ${name}: ${JSON.stringify(run.failure?.error)}`);
  return found;
};
