import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BlobStore, digestOf, openFsBlobStore } from '@millrace/blobs';
import { type TestBroker, testBroker } from '@millrace/broker';
import { type Bus, connectBus, type TailedEvent } from '@millrace/bus';
import { PipelineServiceService, type Run, type SubmitRunRequest } from '@millrace/contracts/pipeline';
import type { ProjectSnapshot } from '@millrace/contracts/step';
import { buildManifest, encodeManifest } from '@millrace/recipe';
import {
  type AddressBook,
  PeerChannel,
  type RpcClient,
  type RunningService,
  readSettings,
  type ServiceModule,
  startService,
} from '@millrace/service-kit';
import { exportTo, type SpanRecord, startTelemetry, type Telemetry } from '@millrace/telemetry';
import { expect, vi } from 'vitest';
import { pipeline } from '../src/service.ts';
import { Workers } from './workers.ts';

export const actor = { name: 'user:ada', reason: '' };

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** A project with custom code, so that every kind of change can be made to it. */
export const projectFiles = (
  over: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> => ({
  'recipe.yaml': recipe(),
  'data/a.csv': 'y,x\n1,2\n',
  'steps/train.ts': 'export const make = () => ({});\n',
  ...over,
});

export const recipe = (more = '', top = ''): string => `recipe: regression/v1
target_col: y
${top}steps:
  ingest:
    using: csv
    location: data/a.csv
  train:
    using: custom
    estimator_method: make
${more}`;

/** One per process, as OpenTelemetry keeps it. */
let _telemetry: Telemetry | undefined;

/** Patience of tests: a retry comes at once. */
const patience = {
  MILLRACE_PIPELINE_BACKSTOP_MS: '60000',
  MILLRACE_PIPELINE_CANCEL_MS: '5000',
  MILLRACE_PIPELINE_RETRY_MS: '20',
};

/** The pipeline service with a real broker, stores and blobs, and workers that stand in for the other services. */
export class Platform {
  readonly #directory: string;
  readonly #services: RunningService[] = [];
  readonly #channel: PeerChannel;
  readonly broker: TestBroker;
  readonly blobs: BlobStore;
  readonly bus: Bus;
  readonly workers = new Workers();
  /** Every event since the start. */
  readonly events: TailedEvent[] = [];
  /** Every span that ended in this process. */
  readonly spans: SpanRecord[] = [];
  readonly #stopSpans = exportTo((spans) => this.spans.push(...spans));
  readonly #tail = new AbortController();
  #pipeline: RunningService | undefined;
  #child: { readonly process: ChildProcess; readonly grpcPort: number } | undefined;
  #registryPort = 0;

  private constructor(directory: string, broker: TestBroker, blobs: BlobStore, bus: Bus) {
    this.#directory = directory;
    this.broker = broker;
    this.blobs = blobs;
    this.bus = bus;
    this.#channel = new PeerChannel(
      'pipeline',
      () => `127.0.0.1:${this.#child?.grpcPort ?? this.#pipeline?.grpcPort ?? 1}`,
    );
  }

  static async start(): Promise<Platform> {
    _telemetry ??= startTelemetry({ defaultService: 'test', env: {} });
    const directory = await mkdtemp(join(tmpdir(), 'millrace-pipeline-'));
    const broker = await testBroker();
    const blobs = await openFsBlobStore({ directory: join(directory, 'blobs') });
    const bus = await connectBus({ url: broker.url, service: 'test' });
    const platform = new Platform(directory, broker, blobs, bus);
    platform.#follow();
    for (const module of platform.workers.modules()) {
      const service = await platform.#start(module);
      if (module.name === 'registry') platform.#registryPort = service.grpcPort;
      platform.#services.push(service);
    }
    return platform;
  }

  get client(): RpcClient<typeof PipelineServiceService> {
    return this.#channel.service(PipelineServiceService);
  }

  /** `settings`: variables in place of the usual ones. */
  async startPipeline(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#pipeline = await this.#start(pipeline, settings);
  }

  async stopPipeline(): Promise<void> {
    await this.#pipeline?.stop();
    this.#pipeline = undefined;
  }

  /** Starts the service as a process of its own, which can be killed. */
  async forkPipeline(): Promise<void> {
    const child = fork(main, {
      env: { ...process.env, ...this.#env(), MILLRACE_REGISTRY_GRPC: `127.0.0.1:${this.#registryPort}` },
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [ready] = (await once(child, 'message')) as [{ grpcPort: number }];
    this.#child = { process: child, grpcPort: ready.grpcPort };
  }

  async killPipeline(): Promise<void> {
    const child = this.#child?.process;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Uploads a project; its name is that of its recipe. */
  async snapshot(files: Readonly<Record<string, string>>): Promise<ProjectSnapshot> {
    const project = /^name: (\S+)$/m.exec(files['recipe.yaml'] ?? '')?.[1] ?? 'flights';
    const entries = await Promise.all(
      Object.entries(files).map(async ([path, text]) => ({
        path,
        ...(await this.blobs.put(new TextEncoder().encode(text))),
      })),
    );
    const { digest } = await this.blobs.put(encodeManifest(buildManifest(entries)));
    return { project, manifestDigest: digest, commit: '', dirtyDigest: '' };
  }

  async submit(files = projectFiles(), over: Partial<SubmitRunRequest> = {}): Promise<Run> {
    const { run } = await this.client.submitRun({
      snapshot: await this.snapshot(files),
      profile: '',
      fromStep: '',
      toStep: '',
      noCache: false,
      actor,
      idempotencyKey: '',
      ...over,
    });
    if (run === undefined) throw new Error('no run');
    return run;
  }

  async get(id: string): Promise<Run> {
    const { run } = await this.client.getRun({ id });
    if (run === undefined) throw new Error(`no run ${id}`);
    return run;
  }

  /** The run once it is in one of the states. */
  async until(id: string, ...states: string[]): Promise<Run> {
    return vi.waitFor(
      async () => {
        const run = await this.get(id);
        expect(states).toContain(run.state.replace('RUN_STATE_', ''));
        return run;
      },
      { timeout: 60_000, interval: 25 },
    );
  }

  async run(files = projectFiles(), over: Partial<SubmitRunRequest> = {}): Promise<Run> {
    const { id } = await this.submit(files, over);
    return this.until(id, 'SUCCEEDED', 'FAILED', 'CANCELLED');
  }

  async stop(): Promise<void> {
    this.#tail.abort();
    this.#stopSpans();
    await this.killPipeline();
    await this.stopPipeline();
    this.#channel.close();
    for (const service of this.#services) await service.stop();
    await this.bus.drain();
    await this.blobs.close();
    await this.broker.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #env(): Record<string, string> {
    return {
      MILLRACE_DATA_DIR: this.#directory,
      NATS_URL: this.broker.url,
      MILLRACE_GRPC_PORT: '0',
      MILLRACE_HTTP_PORT: '0',
      MILLRACE_LOG_LEVEL: process.env.MILLRACE_LOG_LEVEL ?? 'error',
      MILLRACE_STEP_LEASE_MS: '2000',
      ...patience,
    };
  }

  #start(module: ServiceModule, settings: Readonly<Record<string, string>> = {}): Promise<RunningService> {
    const env = { ...this.#env(), ...settings };
    const addresses: AddressBook = () => `127.0.0.1:${this.#registryPort}`;
    return startService(module, readSettings(module.name, env, addresses), env);
  }

  #follow(): void {
    const read = async () => {
      for await (const event of this.bus.readEvents({ since: 'all', signal: this.#tail.signal })) {
        this.events.push(event);
      }
    };
    void read().catch(() => {});
  }
}

/** `['ingest:CACHED', …]` */
export const statesOf = (run: Run): readonly string[] =>
  run.steps.map(({ name, state }) => `${name}:${state.replace('STEP_STATE_', '')}`);

export const stepOf = (run: Run, name: string) => {
  const step = run.steps.find((candidate) => candidate.name === name);
  if (step === undefined) throw new Error(`no step ${name}`);
  return step;
};

export const digestOfText = (text: string): string => digestOf(new TextEncoder().encode(text));
