import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BlobStore } from '@millrace/blobs';
import { type TestBroker, testBroker } from '@millrace/broker';
import type { TailedEvent } from '@millrace/bus';
import { EvaluationServiceService } from '@millrace/contracts/evaluation';
import { ModelVersion, RegistryServiceService } from '@millrace/contracts/registry';
import { Artifact, RecipeContext, StepCommand, StepFailure, StepSuccess } from '@millrace/contracts/step';
import { NotFound } from '@millrace/errors';
import { manifestOf, type PackageFiles } from '@millrace/modeling';
import {
  type Env,
  type RpcClient,
  type RpcHandlers,
  type RunningService,
  type Runtime,
  readSettings,
  rpc,
  type ServiceModule,
  type ServiceName,
  startService,
} from '@millrace/service-kit';
import type { Json } from '@millrace/store';
import { type Table, writeTable } from '@millrace/tabular';
import { evaluation } from '../src/service.ts';

export interface CommandOptions {
  readonly run: string;
  readonly attempt?: number;
  readonly recipe: Partial<RecipeContext>;
  readonly config?: object;
  readonly validation: string;
  readonly test: string;
  readonly model: string;
  /** Manifest of the project. */
  readonly project?: string;
}

export type StepOutcome =
  | { readonly kind: 'succeeded'; readonly result: StepSuccess }
  | { readonly kind: 'failed'; readonly result: StepFailure };

/** The evaluation service on a real broker and store, with a registry and a pipeline that do only what is asked. */
export interface Lab {
  readonly blobs: BlobStore;
  readonly reports: RpcClient<typeof EvaluationServiceService>;
  /** The model that the registry's `production` points to. */
  champion: { readonly version: number; readonly digest: string } | undefined;
  /** Whether the registry answers. */
  registryUp(up: boolean): Promise<void>;
  putTable(table: Table): Promise<string>;
  putModel(files: PackageFiles): Promise<string>;
  putProject(files: Readonly<Record<string, string>>): Promise<string>;
  /** Sends a command; the same one again is a new message. */
  send(options: CommandOptions): Promise<void>;
  /** Sends a command and waits for what came of it. */
  evaluate(options: CommandOptions): Promise<StepOutcome>;
  /** The first event that fits, from the beginning of the stream. */
  event(fits: (event: TailedEvent) => boolean): Promise<TailedEvent>;
  /** Every event so far, up to and including the first that fits. */
  eventsUntil(fits: (event: TailedEvent) => boolean): Promise<readonly TailedEvent[]>;
  /** Resolves when the evaluation service says that it is working on the run. */
  working(run: string): Promise<void>;
  /** Ends the evaluation service: SIGKILL when it has a process of its own, else a stop. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface LabOptions {
  /** Runs the evaluation service in a process of its own, to be killed. */
  readonly separate?: boolean;
}

export const openLab = async ({ separate = false }: LabOptions = {}): Promise<Lab> => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-evaluation-'));
  const broker = await testBroker();
  const lab = new RunningLab(directory, broker, separate ? spawnEvaluation : startInProcess);
  await lab.open();
  return lab;
};

type Start = (module: ServiceModule, env: Env, address: (name: ServiceName) => string) => Promise<Endpoint>;

/** A running service, wherever it runs. */
type Endpoint = Pick<RunningService, 'grpcPort' | 'stop'>;

const startInProcess: Start = (module, env, address) =>
  startService(module, readSettings(module.name, env, address), env);

const spawnEvaluation: Start = async (_, env, address) => {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const registry = { MILLRACE_REGISTRY_GRPC: address('registry') };
  const child = fork(main, {
    env: { ...process.env, ...env, ...registry },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const [ready] = (await once(child, 'message')) as [{ grpcPort: number }];
  return {
    grpcPort: ready.grpcPort,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};

class RunningLab implements Lab {
  champion: Lab['champion'];
  readonly #directory: string;
  readonly #broker: TestBroker;
  readonly #startEvaluation: Start;
  readonly #running = new Map<ServiceName, Endpoint>();
  #pipeline: Runtime | undefined;
  #messages = 0;

  constructor(directory: string, broker: TestBroker, startEvaluation: Start) {
    this.#startEvaluation = startEvaluation;
    this.#directory = directory;
    this.#broker = broker;
  }

  async open(): Promise<void> {
    await this.#start({
      name: 'pipeline',
      setup: async (runtime) => {
        this.#pipeline = runtime;
        return {};
      },
    });
    await this.registryUp(true);
    await this.restart();
  }

  get #own(): Runtime {
    if (this.#pipeline === undefined) throw new Error('the lab is not open');
    return this.#pipeline;
  }

  get blobs(): BlobStore {
    return this.#own.blobs;
  }

  get reports() {
    return this.#own.peer('evaluation', EvaluationServiceService);
  }

  async registryUp(up: boolean): Promise<void> {
    if (!up) return this.#stop('registry');
    const resolveAlias: RpcHandlers<typeof RegistryServiceService>['resolveAlias'] = async ({
      model,
      alias,
    }) => {
      if (this.champion === undefined || alias !== 'production')
        throw new NotFound(`${model} has no alias ${alias}`);
      return { modelVersion: ModelVersion.fromPartial({ model, ...this.champion }), move: undefined };
    };
    const handlers = { resolveAlias } as RpcHandlers<typeof RegistryServiceService>;
    await this.#start({
      name: 'registry',
      setup: async () => ({ rpc: [rpc(RegistryServiceService, handlers)] }),
    });
  }

  async putTable(table: Table): Promise<string> {
    const file = join(this.#directory, `table-${this.#next()}.parquet`);
    await writeTable(table, file);
    return (await this.blobs.put({ file })).digest;
  }

  async putModel(files: PackageFiles): Promise<string> {
    for (const bytes of files.values()) await this.blobs.put(bytes);
    return (await this.blobs.put(manifestOf(files).bytes)).digest;
  }

  async putProject(files: Readonly<Record<string, string>>): Promise<string> {
    const listed = [];
    for (const [path, text] of Object.entries(files)) listed.push({ path, ...(await this.#putText(text)) });
    return (await this.#putText(JSON.stringify({ files: listed }))).digest;
  }

  async send(options: CommandOptions): Promise<void> {
    const command = commandOf(options);
    const id = `command-${this.#next()}`;
    await this.#own.store.collection<{ id: string }>({ name: 'commands' }).insert(id, { id }, [
      {
        subject: 'millrace.step.evaluation.evaluate',
        type: 'millrace.step.v1.StepCommand',
        key: command.pipelineRunId,
        data: StepCommand.toJSON(command) as Json,
        id,
      },
    ]);
  }

  async evaluate(options: CommandOptions): Promise<StepOutcome> {
    const key = `${options.run}.evaluate.${options.attempt ?? 1}`;
    await this.send(options);
    const event = await this.event((candidate) => candidate.key === key && candidate.type.includes('.step.'));
    const { result } = event.data as { result: unknown };
    return event.type.includes('.succeeded.')
      ? { kind: 'succeeded', result: StepSuccess.fromJSON(result) }
      : { kind: 'failed', result: StepFailure.fromJSON(result) };
  }

  async event(fits: (event: TailedEvent) => boolean): Promise<TailedEvent> {
    return (await this.eventsUntil(fits)).at(-1)!;
  }

  async eventsUntil(fits: (event: TailedEvent) => boolean): Promise<readonly TailedEvent[]> {
    const abort = new AbortController();
    const events: TailedEvent[] = [];
    try {
      for await (const event of this.#own.bus.readEvents({ since: 'all', signal: abort.signal })) {
        events.push(event);
        if (fits(event)) return events;
      }
    } finally {
      abort.abort();
    }
    throw new Error('the bus was closed');
  }

  kill(): Promise<void> {
    return this.#stop('evaluation');
  }

  restart(): Promise<void> {
    return this.#start(evaluation, this.#startEvaluation);
  }

  working(run: string): Promise<void> {
    return new Promise((resolve) => {
      const watching = this.#own.bus.subscribeProgress(`millrace.progress.${run}.evaluate`, () => {
        void watching.stop();
        resolve();
      });
    });
  }

  async stop(): Promise<void> {
    for (const name of [...this.#running.keys()].reverse()) await this.#stop(name);
    await this.#broker.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #start(module: ServiceModule, start: Start = startInProcess): Promise<void> {
    const env: Env = {
      NATS_URL: this.#broker.url,
      MILLRACE_DATA_DIR: join(this.#directory, 'data'),
      MILLRACE_GRPC_PORT: '0',
      MILLRACE_HTTP_PORT: '0',
      MILLRACE_LOG_LEVEL: 'silent',
      MILLRACE_STEP_LEASE_MS: '1000',
    };
    const address = (name: ServiceName) => `127.0.0.1:${this.#running.get(name)?.grpcPort ?? 1}`;
    this.#running.set(module.name, await start(module, env, address));
  }

  async #stop(name: ServiceName): Promise<void> {
    await this.#running.get(name)?.stop();
    this.#running.delete(name);
  }

  async #putText(text: string) {
    return this.blobs.put(new TextEncoder().encode(text));
  }

  #next(): number {
    this.#messages += 1;
    return this.#messages;
  }
}

const commandOf = ({ run, attempt = 1, recipe, config, validation, test, model, project }: CommandOptions) =>
  StepCommand.fromPartial({
    pipelineRunId: run,
    step: 'evaluate',
    attempt,
    recipe: RecipeContext.fromPartial({ targetColumn: 'minutes', task: 'regression', seed: 42, ...recipe }),
    config: config ?? {},
    inputs: [
      Artifact.fromPartial({ name: 'dataset', kind: 'dataset_version', id: 'trips/1' }),
      Artifact.fromPartial({ name: 'card', kind: 'card', digest: validation }),
      Artifact.fromPartial({ name: 'validation', kind: 'split', digest: validation }),
      Artifact.fromPartial({ name: 'test', kind: 'split', digest: test }),
      Artifact.fromPartial({ name: 'model', kind: 'model', digest: model }),
      Artifact.fromPartial({ name: 'run', kind: 'training_run', id: 'run-7' }),
    ],
    ...(project === undefined ? {} : { project: { project: 'trips', manifestDigest: project } }),
  });
