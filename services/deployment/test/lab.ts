import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlobStore } from '@millrace/blobs';
import { type TestBroker, testBroker } from '@millrace/broker';
import { consumeRecords, type TailedEvent } from '@millrace/bus';
import type { EventDefinition } from '@millrace/contracts';
import {
  DeploymentServiceService,
  DeployRequest,
  type Endpoint,
  InferenceBatch,
} from '@millrace/contracts/deployment';
import {
  ApprovalState,
  Model,
  ModelVersion,
  Policy,
  RegistryServiceService,
} from '@millrace/contracts/registry';
import { Artifact, StepCommand, StepFailure, StepSuccess } from '@millrace/contracts/step';
import { NotFound } from '@millrace/errors';
import { manifestOf, type PackageFiles } from '@millrace/modeling';
import {
  type Env,
  eventMessage,
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
import { request } from 'undici';
import { expect, vi } from 'vitest';
import { deployment } from '../src/service.ts';

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever JSON comes back
  readonly body: any;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The deployment service on a real broker, with a registry that knows what a test tells it. */
export class Lab {
  readonly broker: TestBroker;
  /** What the registry's aliases point to, by `model@alias`. */
  readonly aliases = new Map<string, number>();
  /** Inference batches so far, in the order of arrival. */
  readonly batches: InferenceBatch[] = [];
  readonly #directory: string;
  readonly #versions = new Map<string, ModelVersion>();
  readonly #running = new Map<ServiceName, RunningService>();
  readonly #runtimes = new Map<ServiceName, Runtime>();
  #messages = 0;

  private constructor(directory: string, broker: TestBroker) {
    this.#directory = directory;
    this.broker = broker;
  }

  static async open(): Promise<Lab> {
    const lab = new Lab(await mkdtemp(join(tmpdir(), 'millrace-deployment-')), await testBroker());
    await lab.#start(lab.#other('pipeline'));
    await lab.#start(lab.#other('monitoring'));
    await lab.#start(lab.#registry());
    consumeRecords(lab.runtime('pipeline').bus, {
      name: 'lab-inference',
      stream: 'INFERENCE',
      handle: async ({ data }) => {
        lab.batches.push(InferenceBatch.decode(data));
        return { kind: 'done' };
      },
    });
    await lab.start();
    return lab;
  }

  start(env: Env = {}): Promise<void> {
    return this.#start(deployment, env);
  }

  /** Ends the deployment service only. */
  async stopService(): Promise<void> {
    await this.#running.get('deployment')?.stop();
    this.#running.delete('deployment');
  }

  async stop(): Promise<void> {
    for (const service of [...this.#running.values()].reverse()) await service.stop();
    await this.broker.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  runtime(name: ServiceName): Runtime {
    const runtime = this.#runtimes.get(name);
    if (runtime === undefined) throw new Error(`${name} is not running`);
    return runtime;
  }

  get blobs(): BlobStore {
    return this.runtime('pipeline').blobs;
  }

  get rpc(): RpcClient<typeof DeploymentServiceService> {
    return this.runtime('pipeline').peer('deployment', DeploymentServiceService);
  }

  /** Stores a package and makes it a version in the registry. */
  async register(
    model: string,
    version: number,
    files: PackageFiles,
    part: Partial<ModelVersion> = {},
  ): Promise<void> {
    for (const bytes of files.values()) await this.blobs.put(bytes);
    const { digest } = await this.blobs.put(manifestOf(files).bytes);
    const approvalState = ApprovalState.APPROVAL_STATE_APPROVED;
    this.#versions.set(
      `${model}/${version}`,
      ModelVersion.fromPartial({ model, version, digest, approvalState, ...(part as object) }),
    );
  }

  async deploy(part: Partial<DeployRequest>): Promise<Endpoint> {
    const { endpoint } = await this.rpc.deploy(DeployRequest.fromPartial(part as object));
    if (endpoint === undefined) throw new Error('no endpoint came back');
    return endpoint;
  }

  async endpoint(name: string): Promise<Endpoint> {
    const { endpoint } = await this.rpc.getEndpoint({ name });
    if (endpoint === undefined) throw new Error(`no endpoint ${name}`);
    return endpoint;
  }

  /** `1:90 2:10`, shadows as `2:100s`. */
  async traffic(name: string): Promise<string> {
    const { traffic } = await this.endpoint(name);
    return traffic
      .map(({ revision, percent, shadow }) => `${revision}:${percent}${shadow ? 's' : ''}`)
      .join(' ');
  }

  async call(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const port = this.#running.get('deployment')?.httpPort;
    const answer = await request(`http://127.0.0.1:${port}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: answer.statusCode, body: JSON.parse(await answer.body.text()), headers: answer.headers };
  }

  /** Asks for one prediction. */
  async predict(
    endpoint: string,
    row: object = { distance: 100, city: 'Bern' },
    unit?: string,
  ): Promise<Answer> {
    const headers: Record<string, string> = unit === undefined ? {} : { 'millrace-unit': unit };
    return this.call(`/endpoints/${endpoint}/invocations`, { dataframe_records: [row] }, headers);
  }

  /** The answer of the constant model that served. */
  async answer(endpoint: string, unit?: string): Promise<number> {
    const { status, body } = await this.predict(endpoint, undefined, unit);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body.predictions[0] as number;
  }

  /** Publishes an event of another service. */
  async publish<T>(definition: EventDefinition<T>, key: string, data: T): Promise<void> {
    const { store } = this.runtime(definition.service as ServiceName);
    await store.collection<{ count: number }>({ name: 'things' }).update(key, (current) => ({
      document: { count: (current?.document.count ?? 0) + 1 },
      messages: [eventMessage(definition, key, data)],
    }));
  }

  /** Types of the endpoint's events so far, without their common beginning. */
  async events(endpoint: string, until: string): Promise<readonly TailedEvent[]> {
    const abort = new AbortController();
    const filterSubjects = ['millrace.evt.deployment.deployment.>'];
    const seen: TailedEvent[] = [];
    const { bus } = this.runtime('pipeline');
    for await (const event of bus.readEvents({ since: 'all', filterSubjects, signal: abort.signal })) {
      if (event.key !== endpoint) continue;
      seen.push(event);
      if (shortType(event) === until) break;
    }
    abort.abort();
    return seen;
  }

  /** Resolves when the deployment service has handled every event that was published so far. */
  async settled(): Promise<void> {
    const { jsm } = this.runtime('pipeline').bus.internals;
    await eventually(async () => {
      for (const name of ['registry', 'monitoring', 'pipeline'] as const) {
        expect((await this.runtime(name).store.outbox.stats()).pending).toBe(0);
      }
      const { num_pending, num_ack_pending } = await jsm.consumers.info('EVENTS', 'deployment-reactions');
      expect(num_pending + num_ack_pending).toBe(0);
    });
  }

  async sendStep(
    run: string,
    version: string,
    config: object,
    part: Partial<StepCommand> = {},
  ): Promise<void> {
    const command = StepCommand.fromPartial({
      pipelineRunId: run,
      step: 'deploy',
      attempt: 1,
      config,
      inputs: [Artifact.fromPartial({ name: 'model_version', kind: 'model_version', id: version })],
      ...(part as object),
    });
    this.#messages += 1;
    const id = `command-${this.#messages}`;
    await this.runtime('pipeline')
      .store.collection<{ id: string }>({ name: 'commands' })
      .insert(id, { id }, [
        {
          subject: `millrace.step.deployment.${command.step}`,
          type: 'millrace.step.v1.StepCommand',
          key: run,
          data: StepCommand.toJSON(command) as Json,
          id,
        },
      ]);
  }

  /** What came of a step. */
  async stepResult(
    run: string,
    attempt = 1,
    step = 'deploy',
  ): Promise<{ success?: StepSuccess; failure?: StepFailure }> {
    const abort = new AbortController();
    const filterSubjects = ['millrace.evt.deployment.step.>'];
    const { bus } = this.runtime('pipeline');
    for await (const event of bus.readEvents({ since: 'all', filterSubjects, signal: abort.signal })) {
      if (event.key !== `${run}.${step}.${attempt}`) continue;
      abort.abort();
      const { result } = event.data as { result: unknown };
      return event.type.includes('.succeeded.')
        ? { success: StepSuccess.fromJSON(result) }
        : { failure: StepFailure.fromJSON(result) };
    }
    throw new Error('the bus was closed');
  }

  #other(name: ServiceName): ServiceModule {
    return {
      name,
      setup: async (runtime) => {
        this.#runtimes.set(name, runtime);
        return {};
      },
    };
  }

  #registry(): ServiceModule {
    const find = (model: string, version: number): ModelVersion => {
      const found = this.#versions.get(`${model}/${version}`);
      if (found === undefined) throw new NotFound(`there is no model version ${model}/${version}`);
      return found;
    };
    const handlers: Partial<RpcHandlers<typeof RegistryServiceService>> = {
      getModelVersion: async ({ model, version }) => ({ modelVersion: find(model, version) }),
      getModel: async ({ name }) => {
        const versions = [...this.#versions.values()].filter(({ model }) => model === name);
        if (versions.length === 0) throw new NotFound(`there is no model ${name}`);
        const latestVersion = Math.max(...versions.map(({ version }) => version));
        return { model: Model.fromPartial({ name, latestVersion }) };
      },
      getPolicy: async () => ({ policy: Policy.fromPartial({ protectedAliases: ['production'] }) }),
      resolveAlias: async ({ model, alias }) => {
        const version = this.aliases.get(`${model}@${alias}`);
        if (version === undefined) throw new NotFound(`${model} has no alias ${alias}`);
        return { modelVersion: find(model, version), move: undefined };
      },
    };
    return {
      name: 'registry',
      setup: async (runtime) => {
        this.#runtimes.set('registry', runtime);
        return {
          rpc: [rpc(RegistryServiceService, handlers as RpcHandlers<typeof RegistryServiceService>)],
        };
      },
    };
  }

  async #start(module: ServiceModule, more: Env = {}): Promise<void> {
    const env: Env = {
      NATS_URL: this.broker.url,
      MILLRACE_DATA_DIR: join(this.#directory, 'data'),
      MILLRACE_GRPC_PORT: '0',
      MILLRACE_HTTP_PORT: '0',
      MILLRACE_LOG_LEVEL: process.env.MILLRACE_LOG_LEVEL ?? 'silent',
      MILLRACE_STEP_LEASE_MS: '1000',
      ...more,
    };
    const address = (name: ServiceName) => `127.0.0.1:${this.#running.get(name)?.grpcPort ?? 1}`;
    this.#running.set(module.name, await startService(module, readSettings(module.name, env, address), env));
  }
}

/** `promoted` of `millrace.deployment.deployment.promoted.v1`. */
export const shortType = ({ type }: TailedEvent): string => type.split('.').at(-2) ?? '';

/** Waits until a condition holds. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 60_000, interval: 50 });
