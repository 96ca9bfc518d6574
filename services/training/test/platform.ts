import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TestBroker, testBroker } from '@millrace/broker';
import type { TailedEvent } from '@millrace/bus';
import { type EventDefinition, entityId } from '@millrace/contracts';
import { Artifact, StepCommand, StepSuccess } from '@millrace/contracts/step';
import { TrackingServiceService } from '@millrace/contracts/training';
import {
  type RpcClient,
  type RunningService,
  type Runtime,
  readSettings,
  startService,
} from '@millrace/service-kit';
import type { Json } from '@millrace/store';
import { type Table, writeTable } from '@millrace/tabular';

/** The training service in a process of its own on a real broker, and the pipeline's end of the bus. */
export class Platform {
  readonly directory: string;
  readonly #broker: TestBroker;
  #pipeline: RunningService | undefined;
  #runtime: Runtime | undefined;
  #service: ChildProcess | undefined;
  #grpcPort = 1;

  private constructor(directory: string, broker: TestBroker) {
    this.directory = directory;
    this.#broker = broker;
  }

  static async open(): Promise<Platform> {
    const platform = new Platform(await mkdtemp(join(tmpdir(), 'millrace-training-')), await testBroker());
    const env = platform.#env();
    const address = () => `127.0.0.1:${platform.#grpcPort}`;
    const module = {
      name: 'pipeline' as const,
      setup: async (runtime: Runtime) => {
        platform.#runtime = runtime;
        return {};
      },
    };
    platform.#pipeline = await startService(module, readSettings('pipeline', env, address), env);
    await platform.start();
    return platform;
  }

  async close(): Promise<void> {
    await this.kill();
    await this.#pipeline?.stop();
    await this.#broker.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  get pid(): number {
    return this.#service?.pid ?? 0;
  }

  get runtime(): Runtime {
    if (this.#runtime === undefined) throw new Error('the platform is not open');
    return this.#runtime;
  }

  get tracking(): RpcClient<typeof TrackingServiceService> {
    return this.runtime.peer('training', TrackingServiceService);
  }

  async start(): Promise<void> {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    this.#service = fork(main, {
      env: { ...process.env, ...this.#env() },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [ready] = (await once(this.#service, 'message')) as [{ grpcPort: number }];
    this.#grpcPort = ready.grpcPort;
  }

  /** Kills the service without any warning. */
  async kill(): Promise<void> {
    const service = this.#service;
    if (service === undefined || service.exitCode !== null || service.signalCode !== null) return;
    const exited = once(service, 'exit');
    service.kill('SIGKILL');
    await exited;
  }

  async split(name: string, table: Table): Promise<Artifact> {
    const file = join(this.directory, `${name}.parquet`);
    await writeTable(table, file);
    return Artifact.fromPartial({
      name,
      kind: 'split',
      digest: (await this.runtime.blobs.put({ file })).digest,
    });
  }

  async send(command: StepCommand): Promise<void> {
    const id = `${command.pipelineRunId}.${command.step}.${command.attempt}`;
    await this.runtime.store.collection<{ id: string }>({ name: 'commands' }).insert(id, { id }, [
      {
        subject: `millrace.step.training.${command.step}`,
        type: 'millrace.step.v1.StepCommand',
        key: command.pipelineRunId,
        data: StepCommand.toJSON(command) as Json,
        id,
      },
    ]);
  }

  /** Publishes an event of the pipeline about one of its runs. */
  async publish(definition: EventDefinition<unknown>, pipelineRunId: string, data: unknown): Promise<void> {
    const { subject, type } = definition;
    const entity = entityId(definition, pipelineRunId);
    const runs = this.runtime.store.collection<{ type: string }>({ name: 'pipeline_runs' });
    await runs.update(pipelineRunId, () => ({
      document: { type },
      messages: [{ subject, type, entity, key: pipelineRunId, data: data as Json }],
    }));
  }

  /** Sends a command and waits until its step has succeeded. */
  async step(command: StepCommand): Promise<StepSuccess> {
    await this.send(command);
    const end = (await this.eventsUntil(endOf(command))).at(-1);
    if (end?.type !== 'millrace.training.step.succeeded.v1') throw new Error(JSON.stringify(end?.data));
    return StepSuccess.fromJSON((end.data as { result: unknown }).result);
  }

  /** Every event so far, up to and including the first that fits. */
  async eventsUntil(fits: (event: TailedEvent) => boolean): Promise<readonly TailedEvent[]> {
    const abort = new AbortController();
    const events: TailedEvent[] = [];
    try {
      for await (const event of this.runtime.bus.readEvents({ since: 'all', signal: abort.signal })) {
        events.push(event);
        if (fits(event)) return events;
      }
    } finally {
      abort.abort();
    }
    throw new Error('the bus was closed');
  }

  /** Resolves with the first progress of the step whose message fits. */
  progress(command: StepCommand, fits: RegExp): Promise<void> {
    return new Promise((resolve) => {
      const subject = `millrace.progress.${command.pipelineRunId}.${command.step}`;
      const watching = this.runtime.bus.subscribeProgress(subject, (json) => {
        if (!fits.test((json as { message: string }).message)) return;
        void watching.stop();
        resolve();
      });
    });
  }

  /** Processes that the service started. */
  async children(): Promise<number[]> {
    const text = await readFile(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  }

  #env() {
    return {
      NATS_URL: this.#broker.url,
      MILLRACE_DATA_DIR: join(this.directory, 'data'),
      MILLRACE_GRPC_PORT: '0',
      MILLRACE_HTTP_PORT: '0',
      MILLRACE_LOG_LEVEL: 'silent',
      MILLRACE_STEP_LEASE_MS: '1000',
      MILLRACE_TRAINING_JOBS: '2',
    };
  }
}

export const endOf =
  ({ pipelineRunId, step, attempt }: StepCommand) =>
  ({ key, type }: TailedEvent): boolean =>
    key === `${pipelineRunId}.${step}.${attempt}` && type.includes('.step.');
