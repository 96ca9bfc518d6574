import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BlobStore, openFsBlobStore } from '@millrace/blobs';
import { type TestBroker, testBroker } from '@millrace/broker';
import { type Bus, connectBus, serveRefill, startRelay } from '@millrace/bus';
import type { EventDefinition } from '@millrace/contracts';
import { EvaluationServiceService, type Report } from '@millrace/contracts/evaluation';
import { RegistryServiceService, registryEvents } from '@millrace/contracts/registry';
import { StepCommand, type StepFailure, type StepSuccess } from '@millrace/contracts/step';
import { NotFound } from '@millrace/errors';
import { manifestOf } from '@millrace/modeling';
import {
  type AddressBook,
  eventMessage,
  PeerChannel,
  type RpcClient,
  type RunningService,
  readSettings,
  rpc,
  type ServiceModule,
  startService,
} from '@millrace/service-kit';
import { type DocumentStore, type Json, openSqliteStore } from '@millrace/store';
import { expect, vi } from 'vitest';
import { registry } from '../src/service.ts';

export type RegistryClient = RpcClient<RegistryServiceService>;

/** Which of the stored messages come, and when. */
export type Order = <T>(stored: readonly T[]) => readonly T[];

/** How a step ended. */
export interface StepEnd {
  readonly success: StepSuccess | undefined;
  readonly failure: StepFailure | undefined;
}

/** The registry as its own service, with a real broker, and what it needs of the other services. */
export interface Platform {
  readonly dataDir: string;
  readonly broker: TestBroker;
  readonly blobs: BlobStore;
  readonly client: RegistryClient;
  /** Reports that the evaluation service knows. */
  readonly reports: Map<string, Report>;
  startRegistry(): Promise<void>;
  /** Starts it as a process of its own instead. */
  startRegistryProcess(): Promise<ChildProcess>;
  stopRegistry(): Promise<void>;
  /** Commits and publishes an event of another service, from its JSON. */
  publish<T>(definition: EventDefinition<T>, key: string, json: object): Promise<void>;
  /** Has a step done and waits for its result event. */
  runStep(command: Partial<StepCommand>): Promise<StepEnd>;
  /**
   * Publishes what the stream holds of a subject once more, in an order of the caller's and unknown to
   * de-duplication; with `purge` in place of what it holds.
   */
  republish(subject: string, order: Order, options?: { readonly purge: boolean }): Promise<void>;
  /** Stores a model package and returns its digest. */
  putModel(content: string): Promise<string>;
  stop(): Promise<void>;
}

const evaluationOf = (reports: ReadonlyMap<string, Report>): ServiceModule => ({
  name: 'evaluation',
  setup: async () => ({
    rpc: [
      rpc(EvaluationServiceService, {
        getReport: async ({ id }) => {
          const report = reports.get(id);
          if (report === undefined) throw new NotFound(`there is no report ${id}`);
          return { report };
        },
        findVerdict: async ({ modelDigest }) => {
          const report = [...reports.values()].findLast((known) => known.modelDigest === modelDigest);
          if (report === undefined) throw new NotFound(`model ${modelDigest} was not evaluated`);
          return { report };
        },
        listReports: async () => ({ reports: [], page: undefined }),
      }),
    ],
  }),
});

/** Stores and relays of services that are not under test, one per service name. */
class OtherServices {
  readonly #dataDir: string;
  readonly #natsUrl: string;
  readonly #opened = new Map<string, Promise<{ readonly store: DocumentStore; readonly bus: Bus }>>();

  constructor(dataDir: string, natsUrl: string) {
    this.#dataDir = dataDir;
    this.#natsUrl = natsUrl;
  }

  open(service: string): Promise<{ readonly store: DocumentStore; readonly bus: Bus }> {
    const opened = this.#opened.get(service) ?? this.#open(service);
    this.#opened.set(service, opened);
    return opened;
  }

  async #open(service: string) {
    const path = join(this.#dataDir, `${service}.sqlite`);
    const store = await openSqliteStore({ path, service });
    const bus = await connectBus({ url: this.#natsUrl, service });
    startRelay({ bus, outbox: store.outbox });
    serveRefill({ bus, outbox: store.outbox });
    return { store, bus };
  }

  all() {
    return Promise.all(this.#opened.values());
  }

  async close(): Promise<void> {
    for (const { store, bus } of await this.all()) {
      await bus.drain();
      await store.close();
    }
  }
}

const mlmodel = `
saved_input_example_info: {artifact_path: input_example.json, type: dataframe, pandas_orient: split}
signature:
  inputs: '[{"type":"double","name":"distance","required":true}]'
  outputs: '[{"type":"double","name":"delay","required":true}]'
`;

export const startPlatform = async (): Promise<Platform> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-registry-'));
  const broker = await testBroker();
  const blobs = await openFsBlobStore({ directory: join(dataDir, 'blobs') });
  const others = new OtherServices(dataDir, broker.url);
  const running = new Map<string, Omit<RunningService, 'local'>>();
  const addresses: AddressBook = (service) => `127.0.0.1:${running.get(service)?.grpcPort ?? 1}`;
  const env = {
    MILLRACE_GRPC_PORT: '0',
    MILLRACE_HTTP_PORT: '0',
    MILLRACE_DATA_DIR: dataDir,
    NATS_URL: broker.url,
    MILLRACE_LOG_LEVEL: process.env.MILLRACE_LOG_LEVEL ?? 'silent',
  };
  const start = async (module: ServiceModule) => {
    running.set(module.name, await startService(module, readSettings(module.name, env, addresses), env));
  };
  const reports = new Map<string, Report>();
  await start(evaluationOf(reports));
  const channel = new PeerChannel('registry', () => addresses('registry', 'grpc'));

  return {
    dataDir,
    broker,
    blobs,
    reports,
    client: channel.service(RegistryServiceService),
    startRegistry: () => start(registry),
    startRegistryProcess: async () => {
      const addressOfEvaluation = { MILLRACE_EVALUATION_GRPC: addresses('evaluation', 'grpc') };
      const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
      const child = fork(main, { env: { ...process.env, ...env, ...addressOfEvaluation } });
      const [ready] = (await once(child, 'message')) as [{ grpcPort: number; httpPort: number }];
      const stop = async () => void child.kill('SIGKILL');
      running.set('registry', { name: 'registry', ...ready, stop });
      return child;
    },
    stopRegistry: async () => {
      await running.get('registry')?.stop();
      running.delete('registry');
    },
    publish: async (definition, key, json) => {
      const { store } = await others.open(definition.service);
      const message = eventMessage(definition, key, definition.codec.fromJSON(json));
      await store
        .collection<{ readonly count: number }>({ name: 'things' })
        .update(`${definition.entity}/${key}`, (current) => ({
          document: { count: (current?.document.count ?? 0) + 1 },
          messages: [message],
        }));
    },
    runStep: async (partial) => runStep(await others.open('pipeline'), partial),
    republish: async (subject, order, options = { purge: false }) => {
      for (const { store } of await others.all()) {
        await eventually(async () => expect((await store.outbox.stats()).pending).toBe(0));
      }
      await republish((await others.open('pipeline')).bus, subject, order, options.purge);
    },
    putModel: (content) => putModel(blobs, content),
    stop: async () => {
      channel.close();
      for (const service of running.values()) await service.stop();
      await others.close();
      await blobs.close();
      await broker.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

const putModel = async (blobs: BlobStore, content: string): Promise<string> => {
  const text = (value: string) => new TextEncoder().encode(value);
  const files = new Map([
    ['MLmodel', text(mlmodel)],
    ['input_example.json', text('{"columns":["distance"],"data":[[500],[800]]}')],
    ['model/weights', text(content)],
  ]);
  for (const bytes of files.values()) await blobs.put(bytes);
  const { bytes, digest } = manifestOf(files);
  await blobs.put(bytes);
  return digest;
};

const runStep = async (
  { store, bus }: { readonly store: DocumentStore; readonly bus: Bus },
  partial: Partial<StepCommand>,
): Promise<StepEnd> => {
  const command = StepCommand.fromPartial({ step: 'register', attempt: 1, ...(partial as object) });
  const key = `${command.pipelineRunId}.${command.step}.${command.attempt}`;
  await store.collection<{ readonly sent: true }>({ name: 'commands' }).insert(key, { sent: true }, [
    {
      subject: `millrace.step.registry.${command.step}`,
      type: 'millrace.step.command',
      key,
      id: key,
      data: StepCommand.toJSON(command) as Json,
    },
  ]);
  const signal = AbortSignal.timeout(20_000);
  const filterSubjects = ['millrace.evt.registry.step.>'];
  for await (const event of bus.readEvents({ filterSubjects, since: 'all', signal })) {
    if (event.key === key) return toStepEnd(event.type, event.data);
  }
  throw new Error(`step ${key} gave no result`);
};

const toStepEnd = (type: string, json: unknown): StepEnd => {
  const { stepSucceeded, stepFailed } = registryEvents;
  return type === stepSucceeded.type
    ? { success: stepSucceeded.codec.fromJSON(json).result, failure: undefined }
    : { success: undefined, failure: stepFailed.codec.fromJSON(json).result };
};

const republish = async (
  { internals }: Bus,
  subject: string,
  order: Order,
  purge: boolean,
): Promise<void> => {
  const { jsm, js } = internals;
  const { state } = await jsm.streams.info('EVENTS');
  const stored = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const message = await jsm.streams.getMessage('EVENTS', { seq });
    if (message?.subject.startsWith(subject)) stored.push(message);
  }
  if (purge) await jsm.streams.purge('EVENTS', { filter: `${subject}.>` });
  for (const message of order(stored)) {
    message.header.delete('Nats-Msg-Id');
    await js.publish(message.subject, message.data, { headers: message.header });
  }
};

/** Waits until a condition holds. */
export const eventually = <T>(check: () => T | Promise<T>, timeout = 60_000): Promise<T> =>
  vi.waitFor(check, { timeout, interval: 50 });
